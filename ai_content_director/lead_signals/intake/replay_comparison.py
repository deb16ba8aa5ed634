"""Compare what receipts say today with the leads that were made of them. Pure: the same receipts and leads give the same comparison."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import orjson

from lead_signals.intake.admit import REFUSED_BY_DATABASE
from lead_signals.intake.prepare import quarantined_change, quarantined_lead
from lead_signals.intake.replay_reading import Judge, ReceiptReadAgain
from lead_signals.intent.verdict import IntentLabel
from lead_signals.leads.changed_lead import LANES, SECOND_OPINION, edits_of
from lead_signals.leads.form_verdict import LEAD_FORM_RULE
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.message_change import MessageKey
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.leads.record_changes import ChangeDraft, fingerprint
from lead_signals.platforms.inbound_signal import SourceType

RecordedKey = tuple[MessageKey, bytes]
"""A message and the fingerprint of a change of it."""

ToldKey = tuple[UUID, MessageKey, str, str | None]
"""Receipt, message, kind and text of a change: the same thing told, even if code of today would see another time in it."""


@dataclass(frozen=True, slots=True)
class StoredLead:
    """A lead as it is, and the lane in which the machine put it last: people may have moved it on since."""

    lead: Lead
    machine_lane: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of some receipts.

    `leads` are those that were opened by each receipt, in their order. `messages` are those of today's drafts that have a lead, by
    whatever receipt. `refused` holds the items of each receipt that PostgreSQL refused, as they lie in quarantine.
    """

    leads: Mapping[UUID, Sequence[StoredLead]]
    messages: Collection[MessageKey]
    refused: Mapping[UUID, Collection[bytes]]
    recorded: Collection[RecordedKey]
    told: Collection[ToldKey]


@dataclass(frozen=True, slots=True)
class ChangedLead:
    """A lead that is read differently today. `old.status` and `new.status` are lanes; `text` is what `new` is the verdict of."""

    lead: Lead
    receipt_id: UUID
    old: KeptVerdict
    new: KeptVerdict
    text: str

    @property
    def may_be_written(self) -> bool:
        """Nobody has decided about it yet, and nobody took it back."""
        return self.lead.status in LANES

    @property
    def differences(self) -> dict[str, tuple[str | float, str | float]]:
        """What differs, old and new: lane, intent, priority, confidence. Empty when only the text or the contacts found in it do."""
        pairs: dict[str, tuple[str | float, str | float]] = {
            "lane": (self.old.status, self.new.status),
            "intent": (self.old.intent_label, self.new.intent_label),
            "priority": (self.old.priority, self.new.priority),
            "confidence": (self.old.confidence_score, self.new.confidence_score),
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    @property
    def has_other_contacts(self) -> bool:
        """Other phones or e-mails are found in it."""
        return (self.old.phones, self.old.emails) != (self.new.phones, self.new.emails)

    @property
    def has_another_text(self) -> bool:
        """The adapter of today reads other words in the delivery."""
        return self.text != self.lead.content_text

    @property
    def stands_by_opinion(self) -> bool:
        """A language model was asked because the rules did not know, and they still do not: its word stands."""
        return SECOND_OPINION in self.lead.meta and self.new.intent_label == IntentLabel.UNKNOWN and not self.has_another_text


@dataclass(slots=True)
class Comparison:
    """What differs in some receipts.

    `missing` are signals that have no lead, each message once; `unread` leads whose item is no signal any more; `changes` what older
    code did not see happen to a message. `compared` counts all leads looked at, `forms` those left out because a lead form decided
    them, `opinions` those because a language model did, `refused` the items that PostgreSQL refused then.
    """

    changed: list[ChangedLead] = field(default_factory=list)
    missing: list[LeadDraft] = field(default_factory=list)
    unread: list[Lead] = field(default_factory=list)
    changes: list[ChangeDraft] = field(default_factory=list)
    compared: int = 0
    forms: int = 0
    opinions: int = 0
    refused: int = 0

    @property
    def to_read_again(self) -> list[ChangedLead]:
        """The changed leads that a replay may write."""
        return [lead for lead in self.changed if lead.may_be_written]

    @property
    def calls_for_writing(self) -> bool:
        """Whether anything is there that a replay would write."""
        return bool(self.to_read_again or self.missing or self.changes)


def message_of(said: LeadDraft | Lead) -> MessageKey | None:
    """By what something said is found again; None when the platform gave nothing to recognise it by."""
    return None if said.external_message_id is None else (said.platform, said.external_message_id)


def compare(receipts: Sequence[ReceiptReadAgain], stored: Stored, judge: Judge) -> Comparison:
    """What of these receipts is read differently today. A lead is compared with the receipt that opened it; repetitions are not."""
    comparison = Comparison()
    missing: set[MessageKey] = set()
    changes: set[RecordedKey] = set()
    for receipt in receipts:
        refused = stored.refused.get(receipt.id, ())
        matched = match_leads(receipt, stored)
        comparison.unread += matched.unread
        for one, draft in matched.pairs:
            comparison.compared += 1
            if is_completed_form(one.lead, draft):
                comparison.forms += 1
            elif (changed := _changed(receipt.id, one, draft, judge)) is None:
                continue
            elif changed.stands_by_opinion:
                comparison.opinions += 1
            else:
                comparison.changed.append(changed)
        for draft in matched.missing:
            message = message_of(draft)
            if refused and orjson.dumps(quarantined_lead(draft, REFUSED_BY_DATABASE).item) in refused:
                comparison.refused += 1
            elif message is None or message not in missing:
                comparison.missing.append(draft)
                missing |= set() if message is None else {message}
        for change in _unseen(receipt, stored):
            key = (change.message, fingerprint(change))
            if refused and orjson.dumps(quarantined_change(change, REFUSED_BY_DATABASE).item) in refused:
                comparison.refused += 1
            elif key not in changes:
                comparison.changes.append(change)
                changes.add(key)
    return comparison


@dataclass(slots=True)
class MatchedLeads:
    """Leads with the drafts they became of, drafts that have no lead, and leads whose item is no signal any more."""

    pairs: list[tuple[StoredLead, LeadDraft]] = field(default_factory=list)
    missing: list[LeadDraft] = field(default_factory=list)
    unread: list[Lead] = field(default_factory=list)


def match_leads(receipt: ReceiptReadAgain, stored: Stored) -> MatchedLeads:
    """Which draft became which lead. Of one message twice in a receipt the first one counts, as it does at the door."""
    matched = MatchedLeads()
    opened: dict[MessageKey, StoredLead] = {}
    nameless_leads: list[StoredLead] = []
    for one in stored.leads.get(receipt.id, ()):
        message = message_of(one.lead)
        if message is None:
            nameless_leads.append(one)
        else:
            opened[message] = one
    nameless_drafts: list[LeadDraft] = []
    seen: set[MessageKey] = set()
    for draft in receipt.leads:
        message = message_of(draft)
        if message is None:
            nameless_drafts.append(draft)
        elif message not in seen:
            seen.add(message)
            if message in opened:
                matched.pairs.append((opened[message], draft))
            elif message not in stored.messages:
                matched.missing.append(draft)
    matched.unread += [one.lead for message, one in opened.items() if message not in seen]
    _match_nameless(nameless_leads, nameless_drafts, matched)
    return matched


def _match_nameless(leads: Sequence[StoredLead], drafts: Sequence[LeadDraft], matched: MatchedLeads) -> None:
    """First those that say the same, then the rest, each in their order."""
    waiting: dict[tuple[str | None, ...], deque[StoredLead]] = {}
    for one in leads:
        waiting.setdefault(_says(one.lead), deque()).append(one)
    found: set[UUID] = set()
    rest_of_drafts: list[LeadDraft] = []
    for draft in drafts:
        same = waiting.get(_says(draft))
        if same:
            found.add(same[0].lead.id)
            matched.pairs.append((same.popleft(), draft))
        else:
            rest_of_drafts.append(draft)
    rest_of_leads = [one for one in leads if one.lead.id not in found]
    both = min(len(rest_of_leads), len(rest_of_drafts))
    matched.pairs += zip(rest_of_leads[:both], rest_of_drafts[:both], strict=True)
    matched.unread += [one.lead for one in rest_of_leads[both:]]
    matched.missing += rest_of_drafts[both:]


def _says(said: Lead | LeadDraft) -> tuple[str | None, ...]:
    return said.platform, said.source_type, said.author_id, said.external_post_id, said.content_text


def is_completed_form(lead: Lead, draft: LeadDraft) -> bool:
    """The answers of the form decided it, or were fetched after a person had: neither is in the delivery."""
    if lead.source_type != SourceType.LEAD_FORM:
        return False
    by_form = any(seen.get("rule") == LEAD_FORM_RULE for seen in KeptVerdict.of_lead(lead).evidence)
    return by_form or ("field_data" in lead.meta and "field_data" not in draft.meta)


def _changed(receipt_id: UUID, one: StoredLead, draft: LeadDraft, judge: Judge) -> ChangedLead | None:
    """None when it is read as it was. Of an edited lead the words that hold now count."""
    lead = one.lead
    old = replace(KeptVerdict.of_lead(lead), status=one.machine_lane)
    if edits_of(lead):
        text, new = lead.content_text, KeptVerdict.of(judge(lead.content_text))
    else:
        text, new = draft.content_text, KeptVerdict.of(draft.verdict)
    changed = ChangedLead(lead, receipt_id, old, new, text)
    return changed if changed.differences or changed.has_other_contacts or changed.has_another_text else None


def _unseen(receipt: ReceiptReadAgain, stored: Stored) -> Iterator[ChangeDraft]:
    for change in receipt.changes:
        told = (receipt.id, change.message, change.kind.value, change.content_text)
        if told not in stored.told and (change.message, fingerprint(change)) not in stored.recorded:
            yield change
