"""A channel hour: how many deliveries came through a channel in one hour. Together they are its habit of speaking."""

from sqlalchemy import Column, DateTime, ForeignKeyConstraint, Integer, Table, Uuid

from lead_signals.database.metadata import metadata

channel_hours = Table(
    "channel_hours",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("channel_id", Uuid, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("deliveries", Integer, nullable=False),
    ForeignKeyConstraint(["tenant_id", "channel_id"], ["channels.tenant_id", "channels.id"], ondelete="CASCADE"),
)
