"""A receipt: what a receiver says became of a follow-up after it took it. "accepted" and "done" are two facts."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, Table, Text, Uuid, func

from lead_signals.database.metadata import metadata


class ReceiptStatus(StrEnum):
    """The receiver made a task of it; somebody finished the task; or it could not be done."""

    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"


follow_up_receipts = Table(
    "follow_up_receipts",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("follow_up_id", Uuid, primary_key=True),
    Column("receipt_key", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("reference", Text),
    Column("note", Text),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["tenant_id", "follow_up_id"], ["follow_ups.tenant_id", "follow_ups.id"], ondelete="CASCADE"),
    CheckConstraint("status IN ('accepted', 'done', 'failed')", "status"),
    Index("ix_follow_up_receipts_received", "received_at", postgresql_using="brin"),
)
