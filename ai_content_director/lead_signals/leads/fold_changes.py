"""Fold the changes of one message into what they say together. Pure: the same changes say the same, in whatever order they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lead_signals.leads.message_change import EDITED, HIDDEN, ORIGINAL, REMOVED, SHOWN
from lead_signals.leads.message_history import MessageChange


@dataclass(frozen=True, slots=True)
class FoldedChanges:
    """What all changes of a message say together.

    `newest_edit` has the text that holds now, None when the message was never edited. `removed_at` is when it was taken back: the
    earliest time the platform told, or when we first heard of it if it told none; None when it was not. `was_urgent`: some version
    of it, be it the first one or an edit, was of high priority.
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
    removals = [change for change in in_order if change.kind == REMOVED]
    last_seen = next((change.kind for change in reversed(in_order) if change.kind in (HIDDEN, SHOWN)), SHOWN)
    return FoldedChanges(
        newest_edit=edits[-1] if edits else None,
        edits=len(edits),
        has_original=any(change.kind == ORIGINAL for change in in_order),
        removed_at=_removed_at(removals),
        is_hidden=last_seen == HIDDEN,
        was_urgent=any(change.verdict is not None and change.verdict.is_urgent for change in in_order),
    )


def _removed_at(removals: Sequence[MessageChange]) -> datetime | None:
    """It can be taken back only once; a redelivery may carry a later time, and what is told is better than when it was heard."""
    told = [removal.changed_at for removal in removals if removal.changed_at is not None]
    return min(told or [removal.received_at for removal in removals], default=None)
