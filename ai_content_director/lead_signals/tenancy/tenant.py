"""A tenant, and the brand profile its replies are written from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, ForeignKey, Table, Text, Uuid, func, select

from lead_signals.database.metadata import metadata
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession

tenants = Table(
    "tenants",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

brand_profiles = Table(
    "brand_profiles",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("brand_tone", Text, nullable=False),
    Column("main_services", ARRAY(Text), nullable=False),
    Column("target_customer", Text, nullable=False),
    Column("cta_style", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One company, as the API shows it."""

    id: UUID
    name: str
    industry: str
    created_at: datetime


async def find_tenant(session: TenantSession, tenant_id: UUID) -> Tenant | None:
    """The tenant this session is in, or None when there is no such tenant."""
    row = (await session.execute(select(tenants).where(tenants.c.id == tenant_id))).one_or_none()
    return None if row is None else Tenant(row.id, row.name, row.industry, row.created_at)


async def list_tenants(session: AcrossTenantsSession) -> Sequence[Tenant]:
    """All tenants of this installation, oldest first: for its operator."""
    rows = await session.execute(select(tenants).order_by(tenants.c.created_at, tenants.c.id))
    return [Tenant(row.id, row.name, row.industry, row.created_at) for row in rows]
