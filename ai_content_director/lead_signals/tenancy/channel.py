"""A channel: a Page or account that a tenant has connected. Real deliveries name nothing but this."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, UniqueConstraint, Uuid, func, select
from sqlalchemy.dialects.postgresql import insert

from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession

channels = Table(
    "channels",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("tenant_id", "platform", "external_id"),
    Index("ix_channels_routing", "platform", "external_id"),
)


async def connect_channel(session: TenantSession, tenant_id: UUID, *, platform: str, external_id: str, name: str | None = None) -> None:
    """Route a Page's deliveries to this tenant from now on; connecting it again only renews its name."""
    statement = insert(channels).values(tenant_id=tenant_id, id=new_id(), platform=platform, external_id=external_id, name=name)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "platform", "external_id"], set_={"name": func.coalesce(statement.excluded.name, channels.c.name)}
        )
    )


async def tenants_of_channels(session: AcrossTenantsSession, platform: str, external_ids: Collection[str]) -> Mapping[str, UUID]:
    """Which tenant each of these Pages belongs to; unknown ones are absent. Of two tenants with one Page, the first to connect has it."""
    if not external_ids:
        return {}
    rows = await session.execute(
        select(channels.c.external_id, channels.c.tenant_id)
        .where(channels.c.platform == platform, channels.c.external_id.in_(external_ids))
        .order_by(channels.c.created_at.desc(), channels.c.id.desc())
    )
    return {row.external_id: row.tenant_id for row in rows}
