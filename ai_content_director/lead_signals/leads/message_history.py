"""Reading message changes: all that is known of some messages beside their leads, in the order of each message's life."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.message_change import ORIGINAL, MessageKey, message_changes
from lead_signals.tenancy.tenant_session import TenantSession

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MessageChange:
    """One row of `message_changes`. `content_text` and `verdict` are there for the original and for edits."""

    message: MessageKey
    kind: str
    sequence: int
    changed_at: datetime | None
    content_text: str | None
    verdict: KeptVerdict | None
    received_at: datetime

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands in the life of its message, the same for everybody: the original, then what counts and clock say.

        A change without a time comes before those with one. Text and kind decide only what neither count nor clock does.
        """
        return (
            self.kind != ORIGINAL,
            self.sequence,
            self.changed_at is not None,
            self.changed_at or _BEFORE_ALL,
            self.content_text or "",
            self.kind,
        )


async def changes_of(session: TenantSession, tenant_id: UUID, messages: Collection[MessageKey]) -> dict[MessageKey, list[MessageChange]]:
    """What is recorded of these messages, each in the order of its life; messages without any change are absent. One query."""
    if not messages:
        return {}
    in_order = sorted(messages)
    rows = await session.execute(
        _CHANGES, {"tenant_id": tenant_id, "platforms": [platform for platform, _ in in_order], "ids": [of for _, of in in_order]}
    )
    found: defaultdict[MessageKey, list[MessageChange]] = defaultdict(list)
    for row in rows.mappings():
        change = _change(row)
        if change.message in messages:
            found[change.message].append(change)
    return {message: sorted(changes, key=lambda change: change.place) for message, changes in found.items()}


# Asked for every group of deliveries: as text, because putting the same query together out of objects costs more than answering it.
# Each message is looked up in the unique index by itself (OFFSET 0 keeps the planner from another way): see `message_change.among`.
_CHANGES = text(
    """
    SELECT c.platform, c.external_message_id, c.kind, c.sequence, c.changed_at, c.content_text, c.verdict, c.received_at
    FROM unnest(CAST(:platforms AS text[]), CAST(:ids AS text[])) AS wanted (platform, external_message_id)
    CROSS JOIN LATERAL (
        SELECT * FROM message_changes m
        WHERE m.tenant_id = :tenant_id AND m.platform = wanted.platform AND m.external_message_id = wanted.external_message_id
        OFFSET 0
    ) AS c
    """
).columns(
    message_changes.c.platform,
    message_changes.c.external_message_id,
    message_changes.c.kind,
    message_changes.c.sequence,
    message_changes.c.changed_at,
    message_changes.c.content_text,
    message_changes.c.verdict,
    message_changes.c.received_at,
)


def _change(row: RowMapping) -> MessageChange:
    return MessageChange(
        message=(row["platform"], row["external_message_id"]),
        kind=row["kind"],
        sequence=row["sequence"],
        changed_at=row["changed_at"],
        content_text=row["content_text"],
        verdict=None if row["verdict"] is None else KeptVerdict.of_json(row["verdict"]),
        received_at=row["received_at"],
    )
