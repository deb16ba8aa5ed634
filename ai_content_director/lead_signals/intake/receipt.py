"""A receipt: one delivery for one tenant, its raw bytes and the count of what became of its items."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from lead_signals.database.metadata import metadata

receipts = Table(
    "receipts",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("tenant_id_source", Text, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("body", LargeBinary),  # NULL once it is older than RECEIPT_RETENTION_DAYS; the counts stay
    Column("body_removed_at", DateTime(timezone=True)),
    # One POST may carry Pages of several tenants: each keeps only its own entries, and this says so.
    Column("body_is_excerpt", Boolean, nullable=False),
    Column("channels", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("items_received", Integer, nullable=False),
    Column("items_created", Integer, nullable=False),
    Column("items_updated", Integer, nullable=False),
    Column("items_duplicate", Integer, nullable=False),
    Column("items_ignored", Integer, nullable=False),
    Column("items_quarantined", Integer, nullable=False),
    Column("ignored_reasons", JSONB, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("tenant_id_source IN ('header', 'body', 'channel')", "tenant_id_source"),
    CheckConstraint(
        "items_received = items_created + items_updated + items_duplicate + items_ignored + items_quarantined",
        "conservation",
    ),
    CheckConstraint("(body IS NULL) = (body_removed_at IS NOT NULL)", "body"),
    Index("ix_receipts_received_at", "tenant_id", "received_at"),
    Index("ix_receipts_aging", "tenant_id", "received_at", "id", postgresql_where=text("body IS NOT NULL")),
)

quarantined_items = Table(
    "quarantined_items",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("receipt_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("item", LargeBinary),  # NULL once it is older than RECEIPT_RETENTION_DAYS
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["tenant_id", "receipt_id"], ["receipts.tenant_id", "receipts.id"], ondelete="CASCADE"),
    Index("ix_quarantined_items_receipt", "tenant_id", "receipt_id"),
)
