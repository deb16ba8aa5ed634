"""A delivery attempt: what happened one time we tried to keep a promise."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Integer, LargeBinary, Table, Text, Uuid

from lead_signals.database.metadata import metadata

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("follow_up_id", Uuid, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("http_status", Integer),
    Column("error_class", Text),
    Column("answer_head", LargeBinary),
    ForeignKeyConstraint(["tenant_id", "follow_up_id"], ["follow_ups.tenant_id", "follow_ups.id"], ondelete="CASCADE"),
    CheckConstraint("outcome IN ('delivered', 'try_again', 'give_up')", "outcome"),
)
