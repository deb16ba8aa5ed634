"""A comparison of rules told to a person, as lines, and to a program, as values. What strangers wrote is made printable, and short."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from lead_signals.intake.replay_report import many, moves_value, short, tables_of, verdict_value
from lead_signals.intake.rules_comparison import ComparedMessage, RulesSummary

LANES = ("new_auto", "new_draft", "new_escalate")
CLOSER = {1: "closer", 0: None, -1: "farther"}


def row_of(message: ComparedMessage) -> dict[str, Any]:
    """A difference as a value for JSON."""
    return {
        "kind": "changed",
        "receipt_id": str(message.receipt_id),
        "lead_id": None if message.lead_id is None else str(message.lead_id),
        "status": message.status,
        "active": verdict_value(message.active),
        "candidate": verdict_value(message.candidate),
        "to_the_decision": CLOSER[message.closer],
        "text": short(message.text),
    }


def line_of(row: dict[str, Any]) -> str:
    """A row of `row_of` on one line."""
    old, new = row["active"], row["candidate"]
    told = [f"{old[name]} → {new[name]}" for name in ("lane", "intent_label", "priority", "confidence_score") if old[name] != new[name]]
    decided = f" ({row['status']}: {row['to_the_decision']})" if row["to_the_decision"] else ""
    return f"{row['lead_id'] or 'no lead yet'}  {', '.join(told)}{decided}  “{row['text']}”"


def tables(summary: RulesSummary) -> Iterator[str]:
    """Lines: what goes where, and how many messages each lane gets."""
    yield from tables_of(summary.moves, of="Messages")
    yield from _lanes(summary.lanes_active, summary.lanes_candidate)


def _lanes(active: Counter[str], candidate: Counter[str]) -> Iterator[str]:
    if not active:
        return
    first = max(map(len, LANES))
    yield "Messages in each lane"
    yield f"  {'':{first}}  {'active':>9}  {'candidate':>9}"
    for lane in LANES:
        yield f"  {lane:{first}}  {active[lane]:>9,}  {candidate[lane]:>9,}"
    yield ""


def notes(summary: RulesSummary) -> Iterator[str]:
    """Lines about what else there is to know, each only when there is something."""
    if summary.decided:
        yield (
            f"People decided about {many(summary.decided, 'lead')} of these: the candidate comes closer to their decision in"
            f" {summary.closer:,}, and is farther from it in {summary.farther:,}"
        )
    told = (
        ("Leads that keep the verdict of their lead form", summary.forms),
        ("Receipts that the code of today cannot read at all", summary.unreadable),
        ("Receipts of that time that have no body any more (RECEIPT_RETENTION_DAYS)", summary.without_body),
    )
    yield from (f"{words}: {count:,}" for words, count in told if count)


def sentence_of(summary: RulesSummary, *, seconds: float) -> str:
    """All of it in one sentence."""
    changed = f"{summary.changed:,} of them differently" if summary.changed else "no difference"
    return (
        f"Judged {many(summary.messages, 'message')} of {many(summary.receipts, 'receipt')} by both in {seconds:.1f} s: {changed};"
        " nothing was written."
    )


def as_value(summary: RulesSummary) -> dict[str, Any]:
    """The last line of `--json`."""
    counts = {one.name: getattr(summary, one.name) for one in fields(RulesSummary) if one.type == "int" or one.type is int}
    lanes = {lane: {"active": summary.lanes_active[lane], "candidate": summary.lanes_candidate[lane]} for lane in LANES}
    return {"kind": "summary", **counts, "moves": moves_value(summary.moves), "lanes": lanes}
