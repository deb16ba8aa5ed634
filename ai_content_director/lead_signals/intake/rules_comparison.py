"""Two packs on the same messages: what each says of them, and which comes closer to what people decided. Pure; it holds no rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lead_signals.intake.replay_comparison import Stored, is_completed_form, match_leads, message_of
from lead_signals.intake.replay_reading import Judge, ReceiptReadAgain
from lead_signals.intake.replay_summary import MATRICES, Moves
from lead_signals.intent.verdict import Priority
from lead_signals.leads.changed_lead import edits_of
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.message_change import MessageKey

# What a person's decision says about the verdict they had before them. `withdrawn` is the customer's act, no decision of ours.
TAKEN_UP = frozenset({LeadStatus.CONFIRMED, LeadStatus.CONTACTED, LeadStatus.QUALIFIED, LeadStatus.WON, LeadStatus.LOST})
DECIDED = TAKEN_UP | {LeadStatus.DISMISSED}

_URGENCY = {Priority.LOW.value: 0, Priority.MEDIUM.value: 1, Priority.HIGH.value: 2}


@dataclass(frozen=True, slots=True)
class ComparedMessage:
    """One message by both packs. `lead_id` and `status` are its lead's; None when no lead was made of it."""

    receipt_id: UUID
    lead_id: UUID | None
    status: str | None
    text: str
    active: KeptVerdict
    candidate: KeptVerdict

    @property
    def moves(self) -> dict[str, tuple[str, str]]:
        """Which of lane, intent and priority differ: by the active rules, by the candidate."""
        pairs = {
            "lane": (self.active.status, self.candidate.status),
            "intent": (self.active.intent_label, self.candidate.intent_label),
            "priority": (self.active.priority, self.candidate.priority),
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    @property
    def is_decided(self) -> bool:
        """A person took it up or dismissed it."""
        return self.status in DECIDED

    @property
    def closer(self) -> int:
        """1 when the candidate comes closer to the person's decision than the active rules, -1 when it is farther from it, otherwise 0.

        Who took a lead up says that it deserved its priority, who dismissed it that it did not: so more priority is closer to the
        first, and less to the second.
        """
        if not self.is_decided:
            return 0
        more = _URGENCY[self.candidate.priority] - _URGENCY[self.active.priority]
        step = (more > 0) - (more < 0)
        return step if self.status in TAKEN_UP else -step

    @property
    def weight(self) -> tuple[int, int, float]:
        """How telling the difference is, to sort by: a person's decision first, then urgency, lane and intent, then confidence."""
        shift = abs(_URGENCY[self.candidate.priority] - _URGENCY[self.active.priority])
        certainty = abs(self.candidate.confidence_score - self.active.confidence_score)
        return abs(self.closer), 4 * shift + 2 * ("lane" in self.moves) + ("intent" in self.moves), certainty


@dataclass(slots=True)
class RulesSummary:
    """Counts over all messages. `lanes` has, for each lane, how many it gets by the active rules and by the candidate."""

    without_body: int = 0
    receipts: int = 0
    unreadable: int = 0
    messages: int = 0
    forms: int = 0
    changed: int = 0
    decided: int = 0
    closer: int = 0
    farther: int = 0
    moves: dict[str, Moves] = field(default_factory=lambda: {name: Counter() for name in MATRICES})
    lanes_active: Counter[str] = field(default_factory=Counter)
    lanes_candidate: Counter[str] = field(default_factory=Counter)

    def add(self, message: ComparedMessage) -> None:
        """Count one more message."""
        self.messages += 1
        self.lanes_active[message.active.status] += 1
        self.lanes_candidate[message.candidate.status] += 1
        self.changed += bool(message.moves)
        self.decided += message.is_decided
        self.closer += message.closer > 0
        self.farther += message.closer < 0
        for name, pair in message.moves.items():
            self.moves[name][pair] += 1


@dataclass(slots=True)
class ComparedMessages:
    """The messages of some receipts. `forms` were left out, for their lead form decided them."""

    messages: list[ComparedMessage] = field(default_factory=list)
    forms: int = 0


def compare_packs(
    receipts: Sequence[ReceiptReadAgain], stored: Stored, active: Judge, candidate: Judge, told: set[MessageKey]
) -> ComparedMessages:
    """Both verdicts on every message of these receipts. Of an edited lead the words that hold now count.

    A message without a lead is in too, once: `told` holds those that were, and grows.
    """
    compared = ComparedMessages()

    def both(text: str) -> tuple[KeptVerdict, KeptVerdict]:
        return KeptVerdict.of(active(text)), KeptVerdict.of(candidate(text))

    for receipt in receipts:
        matched = match_leads(receipt, stored)
        for one, draft in matched.pairs:
            lead = one.lead
            if is_completed_form(lead, draft):
                compared.forms += 1
                continue
            text = lead.content_text if edits_of(lead) else draft.content_text
            compared.messages.append(ComparedMessage(receipt.id, lead.id, lead.status, text, *both(text)))
        for draft in matched.missing:
            message = message_of(draft)
            if message is None or message not in told:
                told |= set() if message is None else {message}
                compared.messages.append(ComparedMessage(receipt.id, None, None, draft.content_text, *both(draft.content_text)))
    return compared
