"""`/api/follow-ups`: what is owed, what became of it, sending again and calling off."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.endpoints.known_parameters import refuse_unknown_parameters
from lead_signals.followups.endpoints.refusals_told import refusals_told
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.followups.oversight.call_off import CalledOff, call_off
from lead_signals.followups.oversight.follow_up_detail import FollowUpDetail, follow_up_detail
from lead_signals.followups.oversight.follow_up_list import FollowUpFilter, ListedFollowUp, count_by_state, list_follow_ups
from lead_signals.followups.oversight.named_follow_up import NamedFollowUp, named_follow_up
from lead_signals.followups.oversight.redrive import Redriven, redrive
from lead_signals.followups.oversight.redrive_many import RedrivenMany, redrive_many
from lead_signals.followups.oversight.redrive_wish import MINUTES_MOST, RedriveWish
from lead_signals.followups.oversight.whose_follow_up import whose_follow_up
from lead_signals.request_body import RefusedRequest, read_raw_body
from lead_signals.settings import Settings
from lead_signals.strict_wish import read_json_wish, told_in_the_body
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

LIMIT_DEFAULT = 50
LIMIT_MOST = 200


class FollowUpListAnswer(BaseModel):
    """The answer of `GET /api/follow-ups`. `counts` are of all under the same filter, whatever the page."""

    follow_ups: list[ListedFollowUp]
    counts: dict[str, int]


def follow_up_routes(engine: AsyncEngine, settings: Settings) -> APIRouter:
    """The routes; they belong behind the operator's key."""
    router = APIRouter(tags=["follow-ups"], dependencies=[Depends(refuse_unknown_parameters)], responses=refusals_told(401, 404, 422))

    @router.get("/api/follow-ups", summary="Follow-ups of one tenant or of all, newest first")
    async def get_follow_ups(
        *,
        tenant_id: UUID | None = None,
        state: Annotated[list[FollowUpState] | None, Query(description="may be repeated")] = None,
        endpoint_id: UUID | None = None,
        lead_id: UUID | None = None,
        older_than_minutes: Annotated[int | None, Query(ge=0, le=MINUTES_MOST, description="promised at least that long ago")] = None,
        before: Annotated[str | None, Query(description="the id of the last one of the page before", max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = LIMIT_DEFAULT,
    ) -> FollowUpListAnswer:
        wanted = FollowUpFilter(frozenset(state or ()), endpoint_id, lead_id, older_than_minutes)
        older_than = None if before is None else named_follow_up(before)
        if tenant_id is None:
            async with across_tenants_session(engine) as everywhere:
                found = await list_follow_ups(everywhere, None, wanted, limit=limit, before=older_than)
                counts = await count_by_state(everywhere, None, wanted)
        else:
            async with tenant_session(engine, tenant_id) as session:
                if await find_tenant(session, tenant_id) is None:
                    raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}; onboard it with POST /onboarding.")
                found = await list_follow_ups(session, tenant_id, wanted, limit=limit, before=older_than)
                counts = await count_by_state(session, tenant_id, wanted)
        return FollowUpListAnswer(follow_ups=list(found), counts=counts)

    @router.get("/api/follow-ups/{follow_up}", summary="One follow-up: what is sent, every attempt, every receipt")
    async def get_follow_up(follow_up: NamedFollowUp, tenant_id: UUID | None = None) -> FollowUpDetail:
        follow_up_id = named_follow_up(follow_up)
        whose = tenant_id or await _whose(follow_up_id)
        async with tenant_session(engine, whose) as session:
            detail = await follow_up_detail(session, whose, follow_up_id)
        if detail is None:
            raise RefusedRequest(404, "unknown_follow_up", f"Tenant {whose} has no follow-up {follow_up_id}.")
        return detail

    @router.post(
        "/api/follow-ups/redrives",
        summary="Send many again: the dead, or those that wait for their next try",
        responses=refusals_told(400, 413),
        openapi_extra=told_in_the_body(RedriveWish),
    )
    async def post_redrives(request: Request) -> RedrivenMany:
        wish = read_json_wish(RedriveWish, await read_raw_body(request))
        return await redrive_many(engine, settings, wish)

    @router.post("/api/follow-ups/{follow_up}/redrives", summary="Send one again now", responses=refusals_told(409))
    async def post_redrive(follow_up: NamedFollowUp, tenant_id: UUID | None = None) -> Redriven:
        follow_up_id = named_follow_up(follow_up)
        whose = tenant_id or await _whose(follow_up_id)
        async with tenant_session(engine, whose) as session:
            return await redrive(session, settings, whose, follow_up_id)

    @router.post(
        "/api/follow-ups/{follow_up}/cancellations",
        summary="Call one off: nothing more is sent",
        responses={202: {"model": CalledOff, "description": "An attempt runs: if it delivers, that counts"}, **refusals_told(409)},
    )
    async def post_cancellation(follow_up: NamedFollowUp, response: Response, tenant_id: UUID | None = None) -> CalledOff:
        follow_up_id = named_follow_up(follow_up)
        whose = tenant_id or await _whose(follow_up_id)
        async with tenant_session(engine, whose) as session:
            called_off = await call_off(session, whose, follow_up_id)
        response.status_code = 202 if called_off.while_delivering else 200
        return called_off

    async def _whose(follow_up_id: UUID) -> UUID:
        async with across_tenants_session(engine) as everywhere:
            return await whose_follow_up(everywhere, follow_up_id)

    return router
