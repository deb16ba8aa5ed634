"""An audit event: one line of the tenant's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from lead_signals.database.insert_rows import insert_rows
from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.tenant_session import TenantSession

SYSTEM = "SYSTEM"
OPERATOR = "OPERATOR"  # whoever holds the operator's key or the server's command line

audit_events = Table(
    "audit_events",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="RESTRICT"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("event_type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Uuid, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_audit_events_entity", "tenant_id", "entity_id", "created_at"),
    Index("ix_audit_events_opinions", "tenant_id", "created_at", postgresql_where=text("event_type = 'LEAD_SIGNAL_SECOND_OPINION'")),
)


class AuditEventType(StrEnum):
    """What can have happened."""

    LEAD_SIGNAL_CREATED = "LEAD_SIGNAL_CREATED"
    LEAD_SIGNAL_EDITED = "LEAD_SIGNAL_EDITED"
    LEAD_SIGNAL_WITHDRAWN = "LEAD_SIGNAL_WITHDRAWN"
    LEAD_SIGNAL_HIDDEN = "LEAD_SIGNAL_HIDDEN"
    LEAD_SIGNAL_SHOWN = "LEAD_SIGNAL_SHOWN"
    LEAD_SIGNAL_COMPLETED = "LEAD_SIGNAL_COMPLETED"
    LEAD_SIGNAL_READ_AGAIN = "LEAD_SIGNAL_READ_AGAIN"
    LEAD_SIGNAL_SECOND_OPINION = "LEAD_SIGNAL_SECOND_OPINION"
    FOLLOW_UP_CANCELLED = "FOLLOW_UP_CANCELLED"
    FOLLOW_UP_REDRIVEN = "FOLLOW_UP_REDRIVEN"
    FOLLOW_UP_RECEIPT = "FOLLOW_UP_RECEIPT"
    ENDPOINT_ADDED = "ENDPOINT_ADDED"
    ENDPOINT_CHANGED = "ENDPOINT_CHANGED"
    ENDPOINT_REMOVED = "ENDPOINT_REMOVED"
    CHANNEL_CONNECTED = "CHANNEL_CONNECTED"
    CHANNEL_DISCONNECTED = "CHANNEL_DISCONNECTED"
    API_KEY_MADE = "API_KEY_MADE"
    API_KEY_REVOKED = "API_KEY_REVOKED"
    RULE_PACK_ADDED = "RULE_PACK_ADDED"
    RULE_PACK_TURNED = "RULE_PACK_TURNED"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What happened to which thing; `detail` holds ids, labels and numbers only."""

    event_type: AuditEventType
    entity_type: str
    entity_id: UUID
    detail: Mapping[str, Any] = field(default_factory=dict)
    actor: str = SYSTEM


async def record(session: TenantSession, tenant_id: UUID, events: Sequence[AuditEvent]) -> None:
    """Append events in the transaction of what they tell."""
    await insert_rows(
        session,
        audit_events,
        [
            {
                "tenant_id": tenant_id,
                "id": new_id(),
                "event_type": event.event_type.value,
                "actor": event.actor,
                "entity_type": event.entity_type,
                "entity_id": event.entity_id,
                "detail": event.detail,
            }
            for event in events
        ],
    )
