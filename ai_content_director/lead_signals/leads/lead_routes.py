"""`GET /api/leads`: a tenant's leads, newest first; `GET /api/leads/{id}/history`: what one of them said before its last edit."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.leads.lead_list import Lead, find_lead, list_leads
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.message_versions import Version, versions_of_leads
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

LIMIT_DEFAULT = 50
LIMIT_MOST = 200
OFFSET_MOST = 1_000_000_000
EDITS_MOST = 100


class LeadListAnswer(BaseModel):
    """The answer of `GET /api/leads`. `total` counts all leads under the same filter."""

    tenant_id: UUID
    leads: list[Lead]
    total: int


class LeadHistoryAnswer(BaseModel):
    """The answer of `GET /api/leads/{lead_id}/history`: the first words, then the newest edits up to EDITS_MOST, newest last."""

    tenant_id: UUID
    lead_id: UUID
    versions: list[Version]


def lead_routes(engine: AsyncEngine) -> APIRouter:
    """`GET /api/leads` and `GET /api/leads/{lead_id}/history`."""
    router = APIRouter(tags=["leads"])

    @router.get("/api/leads", summary="A tenant's leads, newest first")
    async def get_leads(
        tenant_id: UUID,
        status: LeadStatus | None = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = LIMIT_DEFAULT,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MOST)] = 0,
    ) -> LeadListAnswer:
        async with tenant_session(engine, tenant_id) as session:
            await _find_tenant(session, tenant_id)
            page = await list_leads(session, tenant_id, status=status, limit=limit, offset=offset)
        return LeadListAnswer(tenant_id=tenant_id, leads=list(page.leads), total=page.total)

    @router.get("/api/leads/{lead_id}/history", summary="What a lead said before it was edited, newest last")
    async def get_history(lead_id: UUID, tenant_id: UUID) -> LeadHistoryAnswer:
        async with tenant_session(engine, tenant_id) as session:
            await _find_tenant(session, tenant_id)
            lead = await find_lead(session, tenant_id, lead_id)
            if lead is None:
                raise RefusedRequest(404, "unknown_lead", f"Tenant {tenant_id} has no lead {lead_id}; GET /api/leads lists those it has.")
            versions = await versions_of_leads(session, tenant_id, [lead], most_edits=EDITS_MOST)
        return LeadHistoryAnswer(tenant_id=tenant_id, lead_id=lead_id, versions=versions[lead.id])

    return router


async def _find_tenant(session: TenantSession, tenant_id: UUID) -> None:
    if await find_tenant(session, tenant_id) is None:
        raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}; onboard it with POST /onboarding.")
