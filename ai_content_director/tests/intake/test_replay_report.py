"""What an operator reads of a replay: a line for each difference, tables of what goes where, and counts that say what they count."""

from collections import Counter
from typing import Any

from lead_signals.intake.replay_report import as_value, line_of, notes_of, sentence_of, tables_of
from lead_signals.intake.replay_summary import ReplaySummary
from lead_signals.intake.replay_writing import WrittenByReplay

OLD = {"intent_label": "inquiry", "priority": "medium", "confidence_score": 0.72, "lane": "new_draft"}
NEW = {"intent_label": "inquiry_price", "priority": "high", "confidence_score": 0.93, "lane": "new_auto"}


def changed(**differently: Any) -> dict[str, Any]:
    row = {"kind": "changed", "lead_id": "L1", "status": "new_draft", "may_be_written": True, "old": OLD, "new": NEW, "text": "giá?"}
    return {**row, "other_contacts": False, "other_text": False, **differently}


def test_a_changed_lead_tells_only_what_differs() -> None:
    assert line_of(changed()) == "L1  new_draft → new_auto, inquiry → inquiry_price, medium → high, 0.72 → 0.93  “giá?”"
    assert line_of(changed(new={**OLD, "confidence_score": 0.8})) == "L1  0.72 → 0.8  “giá?”"
    contacts = changed(new=OLD, other_contacts=True, other_text=True, status="won", may_be_written=False)
    assert line_of(contacts) == "L1  other contacts, other text (won: stays)  “giá?”"


def test_the_other_kinds_say_what_they_are() -> None:
    missing = {"kind": "missing", "receipt_id": "R1", "new": NEW, "text": "giá?"}
    assert line_of(missing) == "no lead yet, receipt R1  new_auto, inquiry_price, high  “giá?”"
    assert line_of({"kind": "unread", "lead_id": "L1", "status": "lost", "text": "x"}) == "L1  no signal any more (lost: stays)  “x”"
    assert line_of({"kind": "change", "receipt_id": "R1", "what": "removed", "text": ""}) == "removed, receipt R1, was not seen then  “”"


def test_a_table_has_only_the_words_that_occur_and_adds_up() -> None:
    summary = ReplaySummary()
    summary.moves["lane"].update({("new_draft", "new_auto"): 1_200, ("new_auto", "new_escalate"): 7, ("new_draft", "new_escalate"): 1})
    assert list(tables_of(summary.moves)) == [
        "Leads with another lane: 1,208",
        "  from, to   new_auto  new_escalate",
        "  new_auto          ·             7",
        "  new_draft     1,200             1",
        "",
    ]


def test_notes_are_there_only_when_there_is_something() -> None:
    assert list(notes_of(ReplaySummary())) == []
    noted = list(notes_of(ReplaySummary(without_body=1_500, missing=2, changes=Counter(removed=1, edited=3))))
    assert noted == [
        "Signals that older code made no lead of: 2",
        "Changes of what was said that older code did not see, edited: 3",
        "Changes of what was said that older code did not see, removed: 1",
        "Receipts of that time that have no body any more (RECEIPT_RETENTION_DAYS): 1,500",
    ]


def test_the_sentence_says_whether_anything_was_written() -> None:
    summary = ReplaySummary(receipts=1, items=2_000, compared=1_990, changed=1)
    dry = "Read 1 receipt with 2,000 items again in 1.5 s: 1 difference in 1,990 leads; nothing was written (--dry-run)."
    assert sentence_of(summary, write=False, seconds=1.5) == dry
    summary.written = WrittenByReplay(read_again=1, created=2, changes=0, overtaken=1, refused=3)
    assert sentence_of(summary, write=True, seconds=1.5).endswith(
        "1 lead got a new verdict, 2 leads created, 0 changes applied, 1 lead changed meanwhile and left alone, 3 items refused by the"
        " database; nothing was sent and no follow-up promised."
    )


def test_the_summary_for_programs_has_every_count() -> None:
    summary = ReplaySummary(receipts=3, missing=2, changes=Counter(edited=1))
    summary.moves["intent"]["unknown", "spam"] = 4
    told = as_value(summary)
    assert (told["kind"], told["receipts"], told["missing"], told["differences"], told["changes"]) == ("summary", 3, 2, 3, {"edited": 1})
    assert told["moves"] == {"lane": [], "intent": [{"from": "unknown", "to": "spam", "leads": 4}], "priority": []}
    assert {name for name, value in told.items() if isinstance(value, int)} >= {"without_body", "items", "unreadable", "refused_then"}
