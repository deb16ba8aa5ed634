"""`GET /api/leads`: a tenant's leads, newest first."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.leads.lead_list import Lead, list_leads
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import tenant_session

LIMIT_DEFAULT = 50
LIMIT_MOST = 200
OFFSET_MOST = 1_000_000_000


class LeadListAnswer(BaseModel):
    """The answer of `GET /api/leads`. `total` counts all leads under the same filter."""

    tenant_id: UUID
    leads: list[Lead]
    total: int


def lead_routes(engine: AsyncEngine) -> APIRouter:
    """`GET /api/leads`."""
    router = APIRouter(tags=["leads"])

    @router.get("/api/leads", summary="A tenant's leads, newest first")
    async def get_leads(
        tenant_id: UUID,
        status: LeadStatus | None = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = LIMIT_DEFAULT,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MOST)] = 0,
    ) -> LeadListAnswer:
        async with tenant_session(engine, tenant_id) as session:
            if await find_tenant(session, tenant_id) is None:
                raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}; onboard it with POST /onboarding.")
            page = await list_leads(session, tenant_id, status=status, limit=limit, offset=offset)
        return LeadListAnswer(tenant_id=tenant_id, leads=list(page.leads), total=page.total)

    return router
