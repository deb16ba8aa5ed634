"""Look at one endpoint by its id: a tenant's, or WEBHOOK_URL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.endpoints.endpoint_list import ShownEndpoint, find_endpoint, find_operators_endpoint
from lead_signals.followups.endpoints.named_endpoint import needs_its_tenant, no_operators_endpoint, no_such_endpoint
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session


async def look_at_endpoint(
    engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID, *, now: datetime
) -> ShownEndpoint:
    """The endpoint; `tenant_id` may be None for WEBHOOK_URL. Raises RefusedRequest (404) when it is not there."""
    if endpoint_id == OPERATORS_ENDPOINT:
        async with across_tenants_session(engine) as everywhere:
            endpoint = await find_operators_endpoint(everywhere, settings, now=now)
        if endpoint is None:
            raise no_operators_endpoint()
        return endpoint
    whose = needs_its_tenant(endpoint_id, tenant_id)
    async with tenant_session(engine, whose) as session:
        endpoint = await find_endpoint(session, settings, whose, endpoint_id, now=now)
    if endpoint is None:
        raise no_such_endpoint(whose, endpoint_id)
    return endpoint
