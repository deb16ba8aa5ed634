"""A replay told to a person, as lines, and to a program, as values. What strangers wrote is made printable, and short."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from lead_signals.intake.replay import ReplayedPart
from lead_signals.intake.replay_comparison import ChangedLead
from lead_signals.intake.replay_summary import MATRICES, Moves, ReplaySummary
from lead_signals.intake.replay_writing import WrittenByReplay
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.leads.record_changes import ChangeDraft
from lead_signals.printable import printable

TEXT_SHOWN_CHARACTERS = 60
NARROWEST_COLUMN = 6
CORNER = "from, to"


def rows_of(part: ReplayedPart) -> Iterator[dict[str, Any]]:
    """Each difference of a part as a value for JSON; `kind` is changed, missing, unread or change."""
    found = part.comparison
    for changed in found.changed:
        yield _changed_row(part.tenant_id, changed)
    for draft in found.missing:
        yield _missing_row(part.tenant_id, draft)
    for lead in found.unread:
        yield _unread_row(part.tenant_id, lead)
    for change in found.changes:
        yield _change_row(part.tenant_id, change)


def _changed_row(tenant_id: UUID, changed: ChangedLead) -> dict[str, Any]:
    return {
        "kind": "changed",
        "tenant_id": str(tenant_id),
        "lead_id": str(changed.lead.id),
        "receipt_id": str(changed.receipt_id),
        "status": changed.lead.status,
        "may_be_written": changed.may_be_written,
        "old": verdict_value(changed.old),
        "new": verdict_value(changed.new),
        "other_contacts": changed.has_other_contacts,
        "other_text": changed.has_another_text,
        "text": short(changed.text),
    }


def _missing_row(tenant_id: UUID, draft: LeadDraft) -> dict[str, Any]:
    return {
        "kind": "missing",
        "tenant_id": str(tenant_id),
        "receipt_id": str(draft.receipt_id),
        "platform": draft.platform,
        "source_type": draft.source_type,
        "new": verdict_value(KeptVerdict.of(draft.verdict)),
        "text": short(draft.content_text),
    }


def _unread_row(tenant_id: UUID, lead: Lead) -> dict[str, Any]:
    row = {"kind": "unread", "tenant_id": str(tenant_id), "lead_id": str(lead.id), "status": lead.status}
    return row | {"text": short(lead.content_text)}


def _change_row(tenant_id: UUID, change: ChangeDraft) -> dict[str, Any]:
    row = {"kind": "change", "tenant_id": str(tenant_id), "receipt_id": str(change.receipt_id), "what": change.kind.value}
    return row | {"platform": change.platform, "text": short(change.content_text or "")}


def verdict_value(verdict: KeptVerdict) -> dict[str, Any]:
    """A verdict as a row holds it."""
    return {**verdict.columns(), "lane": verdict.status}


def short(text: str) -> str:
    """The beginning of what a stranger wrote, printable."""
    return printable(text[:TEXT_SHOWN_CHARACTERS])


def line_of(row: dict[str, Any]) -> str:
    """A row of `rows_of` on one line."""
    quoted = f"“{row['text']}”"
    match row["kind"]:
        case "changed":
            old, new = row["old"], row["new"]
            said = [
                f"{old[name]} → {new[name]}" for name in ("lane", "intent_label", "priority", "confidence_score") if old[name] != new[name]
            ]
            said += [words for name, words in (("other_contacts", "other contacts"), ("other_text", "other text")) if row[name]]
            stays = "" if row["may_be_written"] else f" ({row['status']}: stays)"
            return f"{row['lead_id']}  {', '.join(said)}{stays}  {quoted}"
        case "missing":
            new = row["new"]
            return f"no lead yet, receipt {row['receipt_id']}  {new['lane']}, {new['intent_label']}, {new['priority']}  {quoted}"
        case "unread":
            return f"{row['lead_id']}  no signal any more ({row['status']}: stays)  {quoted}"
    return f"{row['what']}, receipt {row['receipt_id']}, was not seen then  {quoted}"


def tables_of(moves_by_name: Mapping[str, Moves], *, of: str = "Leads") -> Iterator[str]:
    """Lines: for lane, intent and priority how many leads (or what `of` says) went from where to where; only words that occur."""
    for name in MATRICES:
        moves = moves_by_name[name]
        if moves:
            yield f"{of} with another {name}: {moves.total():,}"
            yield from _matrix(moves)
            yield ""


def _matrix(moves: Moves) -> Iterator[str]:
    old, new = (sorted({pair[place] for pair in moves}) for place in (0, 1))
    first = max(len(word) for word in (*old, CORNER))
    widths = [max(len(word), NARROWEST_COLUMN) for word in new]
    yield _table_line(CORNER.ljust(first), new, widths)
    for word in old:
        yield _table_line(word.ljust(first), [f"{moves[word, to]:,}" if moves[word, to] else "·" for to in new], widths)


def _table_line(head: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(["", head, *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])


def notes_of(summary: ReplaySummary) -> Iterator[str]:
    """Lines about what else there is to know, each only when there is something."""
    told = (
        ("Leads with another confidence", summary.confidence),
        ("Leads in which other phones or e-mails are found", summary.contacts),
        ("Leads with another text", summary.texts),
        ("Leads that differ and stay, for a person decided about them or took them back", summary.decided),
        ("Leads that keep the verdict of their lead form", summary.forms),
        ("Leads that keep the verdict of a language model, for the rules still do not know", summary.opinions),
        ("Signals that older code made no lead of", summary.missing),
        ("Leads whose item is no signal any more, and which stay", summary.unread),
        *((f"Changes of what was said that older code did not see, {kind}", count) for kind, count in sorted(summary.changes.items())),
        ("Items that the database refused then, in quarantine since", summary.refused_then),
        ("Receipts that the code of today cannot read at all", summary.unreadable),
        ("Receipts of that time that have no body any more (RECEIPT_RETENTION_DAYS)", summary.without_body),
    )
    yield from (f"{words}: {count:,}" for words, count in told if count)


def sentence_of(summary: ReplaySummary, *, write: bool, seconds: float) -> str:
    """All of it in one sentence."""
    read = f"Read {many(summary.receipts, 'receipt')} with {many(summary.items, 'item')} again in {seconds:.1f} s"
    found = f"{many(summary.differences, 'difference') if summary.differences else 'no difference'} in {many(summary.compared, 'lead')}"
    if not write:
        return f"{read}: {found}; nothing was written (--dry-run)."
    done = summary.written
    parts = [
        f"{many(done.read_again, 'lead')} got a new verdict",
        f"{many(done.created, 'lead')} created",
        f"{many(done.changes, 'change')} applied",
    ]
    parts += [f"{many(done.overtaken, 'lead')} changed meanwhile and left alone"] if done.overtaken else []
    parts += [f"{many(done.refused, 'item')} refused by the database"] if done.refused else []
    return f"{read}: {found}; {', '.join(parts)}; nothing was sent and no follow-up promised."


def many(count: int, noun: str) -> str:
    """`1 lead`, `2 leads`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def as_value(summary: ReplaySummary) -> dict[str, Any]:
    """The last line of `--json`."""
    counts = {one.name: getattr(summary, one.name) for one in fields(ReplaySummary) if one.type == "int" or one.type is int}
    written = {one.name: getattr(summary.written, one.name) for one in fields(WrittenByReplay)}
    told = {"differences": summary.differences, "changes": dict(summary.changes), "moves": moves_value(summary.moves), "written": written}
    return {"kind": "summary", **counts, **told}


def moves_value(moves_by_name: Mapping[str, Moves]) -> dict[str, list[dict[str, Any]]]:
    """The tables for a program."""
    return {
        name: [{"from": old, "to": new, "leads": count} for (old, new), count in sorted(moves_by_name[name].items())] for name in MATRICES
    }
