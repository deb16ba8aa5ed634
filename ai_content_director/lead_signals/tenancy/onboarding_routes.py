"""`POST /onboarding`: a tenant begins."""

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.request_body import read_raw_body
from lead_signals.strict_wish import read_json_wish, told_in_the_body
from lead_signals.tenancy.onboard_tenant import Onboarded, Onboarding, onboard_tenant


def onboarding_routes(engine: AsyncEngine) -> APIRouter:
    """`POST /onboarding`."""
    router = APIRouter(tags=["onboarding"])

    @router.post(
        "/onboarding", status_code=201, summary="Onboard a tenant with its brand profile", openapi_extra=told_in_the_body(Onboarding)
    )
    async def onboard(request: Request) -> Onboarded:
        return await onboard_tenant(engine, read_json_wish(Onboarding, await read_raw_body(request)))

    return router
