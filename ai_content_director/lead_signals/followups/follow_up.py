"""A follow-up: what we owe a receiver about one lead. It is a row with a due time, so the queue is the data."""

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
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

N8N = "n8n"


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
    Column("destination", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=FollowUpState.PENDING.value),
    Column("body", LargeBinary, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    # The lead was withdrawn while an attempt ran: it counts if it succeeds, and nothing follows if it fails.
    Column("cancel_asked", Boolean, nullable=False, server_default=text("false")),
    *lease_columns(),
    ForeignKeyConstraint(["tenant_id", "lead_id"], ["lead_signals.tenant_id", "lead_signals.id"], ondelete="CASCADE"),
    UniqueConstraint("tenant_id", "lead_id", "destination"),
    CheckConstraint("state IN ('pending', 'delivering', 'delivered', 'retrying', 'dead', 'cancelled')", "state"),
    CheckConstraint("(state IN ('delivered', 'dead', 'cancelled')) = (finished_at IS NOT NULL)", "finished"),
    CheckConstraint("(state = 'delivering') = (lease_until IS NOT NULL)", "leased"),
)
due_index(follow_ups)
