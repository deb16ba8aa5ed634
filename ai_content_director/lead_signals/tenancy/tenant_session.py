"""The wall: a transaction that sees one tenant's rows, because PostgreSQL shows it no others.

`app.tenant_id` is set for the transaction only (`set_config(…, true)`); a pooled connection carries nothing over. Row-level
security reads it back; unset means that queries return nothing. The policies stand in the migrations.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NewType
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

TenantSession = NewType("TenantSession", AsyncConnection)
AcrossTenantsSession = NewType("AcrossTenantsSession", AsyncConnection)


@asynccontextmanager
async def tenant_session(engine: AsyncEngine, tenant_id: UUID) -> AsyncIterator[TenantSession]:
    """One transaction inside one tenant; it commits when the block ends well, before anything is answered."""
    async with engine.begin() as connection:
        yield await enter_tenant(connection, tenant_id)


async def enter_tenant(connection: AsyncConnection, tenant_id: UUID) -> TenantSession:
    """Turn an open transaction towards one tenant, and away from all others (a delivery for several tenants does so once for each)."""
    await connection.execute(_ENTER, {"tenant_id": str(tenant_id)})
    return TenantSession(connection)


async def look_across_tenants(connection: AsyncConnection) -> AcrossTenantsSession:
    """Let an open transaction see, across tenants, what an `across_tenants_session` sees; until it turns to one tenant."""
    await connection.execute(_LOOK_ACROSS)
    return AcrossTenantsSession(connection)


_ENTER = text("SELECT set_config('app.tenant_id', :tenant_id, true), set_config('app.across_tenants', 'off', true)")
_LOOK_ACROSS = text("SELECT set_config('app.across_tenants', 'on', true)")


@asynccontextmanager
async def across_tenants_session(engine: AsyncEngine) -> AsyncIterator[AcrossTenantsSession]:
    """One transaction that may see, across tenants, the few tables whose policies allow it: tenants, channels, owed work."""
    async with engine.begin() as connection:
        yield await look_across_tenants(connection)
