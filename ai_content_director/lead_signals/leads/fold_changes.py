"""Fold the changes of one message into what they say together. Pure: the same changes say the same, in whatever order they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lead_signals.leads.message_change import EDITED, HIDDEN, ORIGINAL, REMOVED, SHOWN
from lead_signals.leads.message_history import MessageChange


@dataclass(frozen=True, slots=True)
class FoldedChanges:
    """What all changes of a message say together.

    `newest_edit` has the text that holds now, None when the message was never edited. `removed_at` is when it was taken back (when
    we heard of it, if the platform did not say), None when it was not. `was_urgent`: some version of it, be it the first one or an
    edit, was of high priority.
    """

    newest_edit: MessageChange | None
    edits: int
    has_original: bool
    removed_at: datetime | None
    is_hidden: bool
    was_urgent: bool


def fold_changes(changes: Sequence[MessageChange]) -> FoldedChanges:
    """A removal wins for ever; of edits, and of hiding and showing, the one latest in the message's life holds."""
    in_order = sorted(changes, key=lambda change: change.place)
    edits = [change for change in in_order if change.kind == EDITED]
    removal = next((change for change in in_order if change.kind == REMOVED), None)
    last_seen = next((change.kind for change in reversed(in_order) if change.kind in (HIDDEN, SHOWN)), SHOWN)
    return FoldedChanges(
        newest_edit=edits[-1] if edits else None,
        edits=len(edits),
        has_original=any(change.kind == ORIGINAL for change in in_order),
        removed_at=None if removal is None else removal.changed_at or removal.received_at,
        is_hidden=last_seen == HIDDEN,
        was_urgent=any(change.verdict is not None and change.verdict.is_urgent for change in in_order),
    )
