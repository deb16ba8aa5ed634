"""Two packs on the same messages: what counts as a difference, which of them tells most, and whose side a person's decision takes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from lead_signals.database.new_id import new_id
from lead_signals.intake.replay_comparison import Stored, StoredLead
from lead_signals.intake.replay_reading import Judge, KeptReceipt, ReceiptReadAgain, read_receipt_again
from lead_signals.intake.rules_comparison import ComparedMessage, RulesSummary, compare_packs
from lead_signals.intake.rules_report import line_of, notes, row_of, sentence_of, tables
from lead_signals.intent.lane import lane_status
from lead_signals.intent.verdict import PRIORITY_OF, IntentLabel, Verdict
from lead_signals.leads.form_verdict import LEAD_FORM_RULE
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.platforms.inbound_signal import SourceType
from tests.intake.a_mixed_day import mock, mocks

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BUYS, THANKS, ASKS = IntentLabel.PURCHASE_INTENT, IntentLabel.THANKS, IntentLabel.INQUIRY


def verdict(label: IntentLabel, score: float = 0.9) -> Verdict:
    return Verdict(label, PRIORITY_OF[label], score, lane_status(score), (), (), (), "rules of a test")


def judge(verdicts: Mapping[str, Verdict]) -> Judge:
    """These verdicts, and thanks for everything else."""
    return lambda text: verdicts.get(text, verdict(THANKS))


def receipt(*said: tuple[str | None, str]) -> ReceiptReadAgain:
    body = orjson.dumps(mocks(*(mock(message_id, text) for message_id, text in said)))
    return read_receipt_again(KeptReceipt(new_id(), "facebook", NOON, body), None)


def stored(today: ReceiptReadAgain, **status: str) -> Stored:
    """A lead of each draft of the receipt, in the status that its message names, else new_auto."""
    leads = []
    for draft in today.leads:
        columns = {name: getattr(draft, name) for name in ("platform", "source_type", "external_message_id", "content_text")}
        rest = dict.fromkeys(Lead.__dataclass_fields__, None)
        lead = Lead(
            **{
                **rest,
                **columns,
                "id": new_id(),
                "tenant_id": UUID(int=1),
                "status": status.get(draft.external_message_id or "", "new_auto"),
                "meta": {},
                "confidence_score": 0.5,
            }
        )  # type: ignore[arg-type]
        leads.append(StoredLead(lead, "new_auto"))
    return Stored({today.id: leads}, {(draft.platform, str(draft.external_message_id)) for draft in today.leads}, {}, (), ())


def compared(status: str | None, active: Verdict, candidate: Verdict, text: str = "x") -> ComparedMessage:
    lead_id = None if status is None else UUID(int=7)
    return ComparedMessage(UUID(int=5), lead_id, status, text, KeptVerdict.of(active), KeptVerdict.of(candidate))


@pytest.mark.parametrize(
    ("status", "active", "candidate", "closer"),
    [
        ("won", THANKS, BUYS, 1),
        ("lost", ASKS, BUYS, 1),
        ("confirmed", BUYS, THANKS, -1),
        ("dismissed", BUYS, ASKS, 1),
        ("dismissed", THANKS, BUYS, -1),
        ("won", BUYS, IntentLabel.COMPLAINT, 0),
        ("new_auto", THANKS, BUYS, 0),
        ("withdrawn", THANKS, BUYS, 0),
        (None, THANKS, BUYS, 0),
    ],
)
def test_a_decision_takes_the_side_of_who_saw_it_as_urgent_as_the_person(
    status: str | None, active: IntentLabel, candidate: IntentLabel, closer: int
) -> None:
    assert compared(status, verdict(active), verdict(candidate)).closer == closer


def test_each_message_is_judged_by_both_and_counted() -> None:
    today = receipt(("c1", "máy"), ("c2", "khuôn"), ("c3", "hoa"))
    active, candidate = judge({"khuôn": verdict(ASKS, 0.75)}), judge({"máy": verdict(BUYS), "khuôn": verdict(ASKS, 0.8)})
    found = compare_packs([today], stored(today, c1="won", c2="dismissed"), active, candidate, set())
    summary = RulesSummary()
    for message in found.messages:
        summary.add(message)
    assert [message.moves for message in found.messages] == [{"intent": ("thanks", "purchase_intent"), "priority": ("low", "high")}, {}, {}]
    assert (summary.messages, summary.changed, summary.decided, summary.closer, summary.farther) == (3, 1, 2, 1, 0)
    assert (summary.lanes_active, summary.lanes_candidate) == ({"new_auto": 2, "new_draft": 1},) * 2
    assert {name: dict(moves) for name, moves in summary.moves.items()} == {
        "lane": {},
        "intent": {("thanks", "purchase_intent"): 1},
        "priority": {("low", "high"): 1},
    }


def test_a_message_without_a_lead_counts_once_and_a_repeated_one_with_its_lead_alone() -> None:
    first, again = receipt(("c1", "máy"), ("m1", "máy")), receipt(("c1", "máy"), ("m1", "máy"), (None, "máy"))
    with_lead = stored(first)
    (lead, _) = with_lead.leads[first.id]
    known = Stored({first.id: [lead]}, {("facebook", "c1")}, {}, (), ())
    found = compare_packs([first, again], known, judge({}), judge({"máy": verdict(BUYS)}), set())
    assert [message.lead_id for message in found.messages] == [lead.lead.id, None, None], "c1, m1 once, and the nameless one"
    told = {("facebook", "m1")}
    assert len(compare_packs([first], known, judge({}), judge({}), told).messages) == 1, "an earlier part told m1"


def test_of_an_edited_lead_the_words_that_hold_now_count_and_a_form_keeps_its_verdict() -> None:
    today = receipt(("c1", "máy"), ("f1", ""))
    of_today = stored(today)
    edited, form = (one.lead for one in of_today.leads[today.id])
    now = Lead(**{**_fields(edited), "content_text": "khuôn", "meta": {"edited": {"count": 1}}})  # type: ignore[arg-type]
    filled = {"evidence": [{"rule": LEAD_FORM_RULE}]}
    completed = Lead(**{**_fields(form), "source_type": SourceType.LEAD_FORM.value, "meta": filled})  # type: ignore[arg-type]
    kept = Stored({today.id: [StoredLead(one, "new_auto") for one in (now, completed)]}, of_today.messages, {}, (), ())
    found = compare_packs([today], kept, judge({}), judge({"khuôn": verdict(BUYS)}), set())
    assert ([message.text for message in found.messages], found.forms) == (["khuôn"], 1)
    assert found.messages[0].candidate.intent_label == "purchase_intent"


def _fields(lead: Lead) -> dict[str, object]:
    return {name: getattr(lead, name) for name in Lead.__dataclass_fields__}


def test_the_most_telling_comes_first() -> None:
    decided = compared("won", verdict(THANKS), verdict(BUYS))
    urgent = compared("new_auto", verdict(THANKS), verdict(BUYS))
    lane = compared("new_auto", verdict(THANKS, 0.9), verdict(THANKS, 0.6))
    intent = compared("new_auto", verdict(ASKS), verdict(IntentLabel.UNKNOWN, 0.95))
    assert sorted([intent, lane, urgent, decided], key=lambda message: message.weight, reverse=True) == [decided, urgent, lane, intent]


def test_an_operator_reads_it_in_lines() -> None:
    telling = compared("won", verdict(THANKS, 0.6), verdict(BUYS, 0.91), "máy\x1b[2J\n" + "a" * 99)
    summary = RulesSummary(receipts=1, forms=2)
    summary.add(telling)
    summary.add(compared(None, verdict(THANKS), verdict(THANKS)))
    assert line_of(row_of(telling)) == (
        f"{UUID(int=7)}  new_escalate → new_auto, thanks → purchase_intent, low → high, 0.6 → 0.91 (won: closer)  “máy\ufffd[2J {'a' * 52}”"
    )
    assert line_of(row_of(compared(None, verdict(THANKS), verdict(ASKS)))).startswith("no lead yet  thanks → inquiry, low → medium  “")
    assert list(tables(summary))[-5:] == [
        "                   active  candidate",
        "  new_auto              1          2",
        "  new_draft             0          0",
        "  new_escalate          1          0",
        "",
    ]
    assert list(notes(summary)) == [
        "People decided about 1 lead of these: the candidate comes closer to their decision in 1, and is farther from it in 0",
        "Leads that keep the verdict of their lead form: 2",
    ]
    assert sentence_of(summary, seconds=0.25) == (
        "Judged 2 messages of 1 receipt by both in 0.2 s: 1 of them differently; nothing was written."
    )
    assert list(tables(RulesSummary())) == list(notes(RulesSummary())) == []
