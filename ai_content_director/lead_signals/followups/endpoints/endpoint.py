"""An endpoint: where a tenant wants its follow-ups. Address and secrets lie sealed for their own row."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, LargeBinary, Table, Text, Uuid, func, text

from lead_signals.database.metadata import metadata

OPERATORS_ENDPOINT = UUID(int=0)
"""WEBHOOK_URL: it is configured and has no row; tenants without an endpoint of their own are owed there."""


class EndpointKind(StrEnum):
    """How the endpoint is spoken to."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    EMAIL = "email"


class PauseReason(StrEnum):
    """It answered 410, or a person paused it."""

    GONE = "gone"
    BY_OPERATOR = "by_operator"


follow_up_endpoints = Table(
    "follow_up_endpoints",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sealed_address", LargeBinary),
    Column("shown_address", Text, nullable=False),
    Column("sealed_secret", LargeBinary),
    Column("sealed_old_secret", LargeBinary),
    Column("old_secret_until", DateTime(timezone=True)),
    Column("paused_at", DateTime(timezone=True)),
    Column("pause_reason", Text),
    Column("removed_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind IN ('webhook', 'slack', 'email')", "kind"),
    CheckConstraint("(removed_at IS NULL) = (sealed_address IS NOT NULL)", "address"),
    CheckConstraint("(kind = 'webhook' AND removed_at IS NULL) = (sealed_secret IS NOT NULL)", "secret"),
    CheckConstraint("(sealed_old_secret IS NULL) = (old_secret_until IS NULL)", "old_secret"),
    CheckConstraint("(paused_at IS NULL) = (pause_reason IS NULL)", "paused"),
    CheckConstraint("pause_reason IN ('gone', 'by_operator')", "pause_reason"),
    Index("uq_follow_up_endpoints_live_name", "tenant_id", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)

operator_endpoint_pauses = Table(
    "operator_endpoint_pauses",
    metadata,
    Column("address_sha256", LargeBinary, primary_key=True),
    Column("paused_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("pause_reason", Text, nullable=False),
    CheckConstraint("pause_reason IN ('gone', 'by_operator')", "pause_reason"),
)
"""A pause of WEBHOOK_URL, kept for that one address: who sets another has lifted it."""
