"""A follow-up: what we owe a receiver about one lead. It is a row with a due time, so the queue is the data."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from lead_signals.database.lease import due_index, lease_columns
from lead_signals.database.metadata import metadata

FOLLOW_UP_WORK = "follow_ups"
"""What the workers are woken for."""


class FollowUpState(StrEnum):
    """pending → delivering → delivered; a failure makes it retrying, then dead; cancelled when the lead no longer wants it."""

    PENDING = "pending"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    RETRYING = "retrying"
    DEAD = "dead"
    CANCELLED = "cancelled"


follow_ups = Table(
    "follow_ups",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid, nullable=False),
    Column("endpoint_id", Uuid, nullable=False),  # OPERATORS_ENDPOINT or one of follow_up_endpoints, whose rows stay when removed
    Column("state", Text, nullable=False, server_default=FollowUpState.PENDING.value),
    Column("body", LargeBinary, nullable=False),
    # When the first try of the schedule began that runs now; a redrive begins another one.
    Column("begun_at", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    # The lead was withdrawn while an attempt ran: it counts if it succeeds, and nothing follows if it fails.
    Column("cancel_asked", Boolean, nullable=False, server_default=text("false")),
    *lease_columns(),
    ForeignKeyConstraint(["tenant_id", "lead_id"], ["lead_signals.tenant_id", "lead_signals.id"], ondelete="CASCADE"),
    UniqueConstraint("tenant_id", "lead_id", "endpoint_id"),
    CheckConstraint("state IN ('pending', 'delivering', 'delivered', 'retrying', 'dead', 'cancelled')", "state"),
    CheckConstraint("(state IN ('delivered', 'dead', 'cancelled')) = (finished_at IS NOT NULL)", "finished"),
    CheckConstraint("(state = 'delivering') = (lease_until IS NOT NULL)", "leased"),
)
due_index(follow_ups, follow_ups.c.endpoint_id)
Index("ix_follow_ups_fresh", follow_ups.c.endpoint_id, follow_ups.c.due_at, postgresql_where=text("state = 'pending'"))
Index("ix_follow_ups_dead", follow_ups.c.tenant_id, follow_ups.c.id, postgresql_where=text("state = 'dead'"))
Index("ix_follow_ups_promised", follow_ups.c.created_at, postgresql_using="brin")


def webhook_id(follow_up_id: UUID) -> str:
    """The same for all attempts of one follow-up: receivers drop repeats by it."""
    return f"msg_{follow_up_id.hex}"
