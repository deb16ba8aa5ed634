"""`GET /api/unknown-channels`: Pages and accounts that write to us although no tenant has connected them."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake.unrouted_delivery import UnknownChannel, unknown_channels
from lead_signals.tenancy.tenant_session import across_tenants_session


class UnknownChannelsAnswer(BaseModel):
    """Most recently heard first. What they sent is kept; connect one by POST /api/channels, and it becomes leads."""

    unknown_channels: list[UnknownChannel]


def unknown_channel_routes(engine: AsyncEngine) -> APIRouter:
    """The route; it belongs behind the operator's key."""
    router = APIRouter(tags=["channels"])

    @router.get("/api/unknown-channels", summary="Pages that write to us and belong to nobody")
    async def get_unknown_channels() -> UnknownChannelsAnswer:
        async with across_tenants_session(engine) as everywhere:
            return UnknownChannelsAnswer(unknown_channels=list(await unknown_channels(everywhere)))

    return router
