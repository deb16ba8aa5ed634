"""A lead signal: what one person said once, what we read in it, and how far the business has come with it."""

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from lead_signals.database.metadata import metadata
from lead_signals.intent.verdict import IntentLabel, Priority


class LeadStatus(StrEnum):
    """Where a lead stands.

    new_auto, new_draft, new_escalate → confirmed | dismissed → contacted → qualified → won | lost; withdrawn when the person
    took the comment back.
    """

    NEW_AUTO = "new_auto"
    NEW_DRAFT = "new_draft"
    NEW_ESCALATE = "new_escalate"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


def one_of(column: str, words: type[StrEnum]) -> str:
    """The CHECK that keeps a column to the words of an enum."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return f"{column} IN ({listed})"


lead_signals = Table(
    "lead_signals",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("source_type", Text, nullable=False),
    Column("source_subtype", Text),
    Column("content_id", Uuid),
    Column("external_post_id", Text),
    Column("external_thread_id", Text),
    Column("external_message_id", Text),
    Column("author_name", Text),
    Column("author_id", Text),
    Column("content_text", Text, nullable=False),
    Column("intent_label", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("confidence_score", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("assignee", Text),
    Column("follow_up_at", DateTime(timezone=True)),
    Column("last_contact_at", DateTime(timezone=True)),
    Column("meta", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("receipt_id", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["tenant_id", "content_id"], ["content_items.tenant_id", "content_items.id"]),
    # The door's promise of "exactly once". NULL ids (a mock entry without comment_id) stay distinct: such a lead is kept each time.
    UniqueConstraint("tenant_id", "platform", "external_message_id"),
    CheckConstraint(one_of("intent_label", IntentLabel), "intent_label"),
    CheckConstraint(one_of("priority", Priority), "priority"),
    CheckConstraint(one_of("status", LeadStatus), "status"),
    CheckConstraint("confidence_score BETWEEN 0 AND 1", "confidence_score"),
    Index("ix_lead_signals_newest", "tenant_id", text("created_at DESC"), text("id DESC")),
    Index("ix_lead_signals_nameless", "tenant_id", "platform", "author_id", postgresql_where=text("author_name IS NULL")),
    Index("ix_lead_signals_status_newest", "tenant_id", "status", text("created_at DESC"), text("id DESC")),
)
