"""A lead as the changes of its message leave it. Pure: a lead and what its changes say in, the lead as it has to be out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lead_signals.leads.fold_changes import FoldedChanges
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import LeadStatus

LANES: Final = frozenset({LeadStatus.NEW_AUTO, LeadStatus.NEW_DRAFT, LeadStatus.NEW_ESCALATE})
SECOND_OPINION: Final = "second_opinion"
"""Key of a lead's `meta`: the opinion by which its verdict stands."""
WITHDRAWABLE: Final = LANES | {LeadStatus.CONFIRMED}
"""Where a lead stands before anybody acted on it. Later a removal is noted, and the person who works on the lead decides."""


def changed_lead(lead: Lead, folded: FoldedChanges) -> Lead:
    """The lead with the text that holds now and the verdict of that text, edited, hidden and removed as its message is.

    A lane follows the text; a status that a person decided stays. `meta` gains `edited` (`count`, `last_edited_at`), `hidden` (true,
    or absent) and `removed_at`; times are ISO 8601 in UTC.
    """
    return _removed(_shown_or_hidden(_edited(lead, folded), folded), folded)


def edits_of(lead: Lead) -> int:
    """How many edits of its message the lead shows already."""
    edited = lead.meta.get("edited")
    count = edited.get("count") if isinstance(edited, dict) else None
    return count if isinstance(count, int) else 0


def _edited(lead: Lead, folded: FoldedChanges) -> Lead:
    newest = folded.newest_edit
    if newest is None:
        return lead
    edited_at = None if newest.changed_at is None else newest.changed_at.isoformat()
    meta: dict[str, Any] = {**lead.meta, "edited": {"count": folded.edits, "last_edited_at": edited_at}}
    # The same text keeps the verdict it has: newer rules may have read it again since the edit came.
    if newest.content_text is None or newest.verdict is None or newest.content_text == lead.content_text:
        return replace(lead, meta=meta)
    return replace(
        lead,
        content_text=newest.content_text,
        status=newest.verdict.status if lead.status in LANES else lead.status,
        meta=without_opinion(meta) | newest.verdict.meta(),
        **newest.verdict.columns(),
    )


def without_opinion(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The `meta` of a lead whose verdict is the rules' again: what a language model said was about other words."""
    return {name: value for name, value in meta.items() if name != SECOND_OPINION}


def _shown_or_hidden(lead: Lead, folded: FoldedChanges) -> Lead:
    meta = {name: value for name, value in lead.meta.items() if name != "hidden"}
    return replace(lead, meta=meta | {"hidden": True} if folded.is_hidden else meta)


def _removed(lead: Lead, folded: FoldedChanges) -> Lead:
    """A removal moves the lead once: whoever takes it up again afterwards has decided. When it was may be corrected later."""
    if folded.removed_at is None:
        return lead
    moves = "removed_at" not in lead.meta and lead.status in WITHDRAWABLE
    status = LeadStatus.WITHDRAWN.value if moves else lead.status
    return replace(lead, status=status, meta=lead.meta | {"removed_at": folded.removed_at.isoformat()})
