"""`/api/endpoints`: where tenants want their follow-ups; adding, rotating secrets, pausing, trying and removing."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.followups.endpoints.add_endpoint import AddedEndpoint, add_endpoint
from lead_signals.followups.endpoints.endpoint_list import ShownEndpoint, list_endpoints
from lead_signals.followups.endpoints.endpoint_wish import EndpointWish, RotationWish
from lead_signals.followups.endpoints.known_parameters import refuse_unknown_parameters
from lead_signals.followups.endpoints.look_at_endpoint import look_at_endpoint
from lead_signals.followups.endpoints.pause_now import pause_now, resume_now
from lead_signals.followups.endpoints.refusals_told import refusals_told
from lead_signals.followups.endpoints.remove_endpoint import RemovedEndpoint, remove_endpoint
from lead_signals.followups.endpoints.rotate_secret import RotatedSecret, rotate_secret
from lead_signals.followups.endpoints.try_endpoint import TriedEndpoint, try_endpoint
from lead_signals.request_body import RefusedRequest, read_raw_body
from lead_signals.settings import Settings
from lead_signals.strict_wish import read_json_wish, told_in_the_body
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

LIMIT_DEFAULT = 200
LIMIT_MOST = 1000
OFFSET_MOST = 1_000_000_000


class EndpointListAnswer(BaseModel):
    """The answer of `GET /api/endpoints`. `total` counts all endpoints under the same filter."""

    endpoints: list[ShownEndpoint]
    total: int


def endpoint_routes(engine: AsyncEngine, settings: Settings) -> APIRouter:
    """The routes; they belong behind the operator's key."""
    router = APIRouter(tags=["endpoints"], dependencies=[Depends(refuse_unknown_parameters)], responses=refusals_told(401, 404, 422))

    @router.get("/api/endpoints", summary="Endpoints of one tenant, or WEBHOOK_URL and those of all")
    async def get_endpoints(
        tenant_id: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = LIMIT_DEFAULT,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MOST)] = 0,
    ) -> EndpointListAnswer:
        now = clock.now()
        if tenant_id is None:
            async with across_tenants_session(engine) as everywhere:
                found, total = await list_endpoints(everywhere, settings, None, now=now, limit=limit, offset=offset)
        else:
            async with tenant_session(engine, tenant_id) as session:
                if await find_tenant(session, tenant_id) is None:
                    raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}; onboard it with POST /onboarding.")
                found, total = await list_endpoints(session, settings, tenant_id, now=now, limit=limit, offset=offset)
        return EndpointListAnswer(endpoints=list(found), total=total)

    @router.get("/api/endpoints/{endpoint_id}", summary="One endpoint; WEBHOOK_URL is 00000000-0000-0000-0000-000000000000")
    async def get_endpoint(endpoint_id: UUID, tenant_id: UUID | None = None) -> ShownEndpoint:
        return await look_at_endpoint(engine, settings, tenant_id, endpoint_id, now=clock.now())

    @router.post(
        "/api/endpoints",
        summary="Add an endpoint to a tenant; its secret is told once",
        status_code=201,
        responses=refusals_told(400, 409, 413),
        openapi_extra=told_in_the_body(EndpointWish),
    )
    async def post_endpoint(request: Request) -> AddedEndpoint:
        wish = read_json_wish(EndpointWish, await read_raw_body(request))
        return await add_endpoint(engine, settings, wish, now=clock.now())

    @router.post(
        "/api/endpoints/{endpoint_id}/rotations",
        summary="A new secret, told once; the old one signs beside it for a while",
        status_code=201,
        responses=refusals_told(400, 409, 413),
        openapi_extra=told_in_the_body(RotationWish, required=False),
    )
    async def post_rotation(endpoint_id: UUID, request: Request, tenant_id: UUID | None = None) -> RotatedSecret:
        raw_body = await read_raw_body(request)
        wish = read_json_wish(RotationWish, raw_body or b"{}")
        return await rotate_secret(engine, settings, tenant_id, endpoint_id, wish, now=clock.now())

    @router.post("/api/endpoints/{endpoint_id}/pauses", summary="Pause an endpoint: what is owed there waits", status_code=201)
    async def post_pause(endpoint_id: UUID, tenant_id: UUID | None = None) -> ShownEndpoint:
        return await pause_now(engine, settings, tenant_id, endpoint_id, now=clock.now())

    @router.delete("/api/endpoints/{endpoint_id}/pauses", summary="Resume an endpoint: what waits there goes on at once")
    async def delete_pause(endpoint_id: UUID, tenant_id: UUID | None = None) -> ShownEndpoint:
        return await resume_now(engine, settings, tenant_id, endpoint_id, now=clock.now())

    @router.post(
        "/api/endpoints/{endpoint_id}/tests",
        summary="Send a follow-up that is clearly no lead, and tell how it went",
        responses=refusals_told(409),
    )
    async def post_test(endpoint_id: UUID, tenant_id: UUID | None = None) -> TriedEndpoint:
        return await try_endpoint(engine, settings, tenant_id, endpoint_id, now=clock.now())

    @router.delete(
        "/api/endpoints/{endpoint_id}", summary="Remove an endpoint: what is owed there is cancelled", responses=refusals_told(409)
    )
    async def delete_endpoint(endpoint_id: UUID, tenant_id: UUID | None = None) -> RemovedEndpoint:
        return await remove_endpoint(engine, settings, tenant_id, endpoint_id)

    return router
