"""`/api/channels`: which Pages and accounts are connected, connecting, disconnecting, and checking one now."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.connections.channel_list import ConnectedChannel, list_channels
from lead_signals.connections.channel_wish import ChannelWish
from lead_signals.connections.check_now import check_now
from lead_signals.connections.connect import connect
from lead_signals.connections.disconnect import Disconnected, disconnect
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.request_body import RefusedRequest, read_raw_body
from lead_signals.settings import Settings
from lead_signals.strict_wish import read_json_wish, told_in_the_body
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

LIMIT_DEFAULT = 200
LIMIT_MOST = 1000
OFFSET_MOST = 1_000_000_000


class ChannelListAnswer(BaseModel):
    """The answer of `GET /api/channels`. `total` counts all connected channels under the same filter."""

    channels: list[ConnectedChannel]
    total: int


def channel_routes(engine: AsyncEngine, settings: Settings, graph: GraphClient) -> APIRouter:
    """The routes; they belong behind the operator's key."""
    router = APIRouter(tags=["channels"])

    @router.get("/api/channels", summary="Connected channels, of one tenant or of all")
    async def get_channels(
        tenant_id: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = LIMIT_DEFAULT,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MOST)] = 0,
    ) -> ChannelListAnswer:
        if tenant_id is None:
            async with across_tenants_session(engine) as everywhere:
                found, total = await list_channels(everywhere, None, limit=limit, offset=offset)
        else:
            async with tenant_session(engine, tenant_id) as session:
                if await find_tenant(session, tenant_id) is None:
                    raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}; onboard it with POST /onboarding.")
                found, total = await list_channels(session, tenant_id, limit=limit, offset=offset)
        return ChannelListAnswer(channels=list(found), total=total)

    @router.post("/api/channels", summary="Connect a Page or account to a tenant", openapi_extra=told_in_the_body(ChannelWish))
    async def post_channel(request: Request, response: Response) -> ConnectedChannel:
        wish = read_json_wish(ChannelWish, await read_raw_body(request))
        connected = await connect(engine, graph, settings, wish, now=clock.now())
        response.status_code = 201 if connected.is_new else 200
        return connected.channel

    @router.delete("/api/channels/{channel_id}", summary="Disconnect a channel: its token is erased")
    async def delete_channel(channel_id: UUID, tenant_id: UUID) -> Disconnected:
        return await disconnect(engine, graph, settings, tenant_id, channel_id)

    @router.post("/api/channels/{channel_id}/checks", summary="Ask the platform now whether token and subscription hold")
    async def post_check(channel_id: UUID, tenant_id: UUID) -> ConnectedChannel:
        return await check_now(engine, graph, settings, tenant_id, channel_id, now=clock.now)

    return router
