"""Check a channel now, because a person asked: the same check as the worker's, under the same lease."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.channel_check import claim_check
from lead_signals.connections.channel_list import ConnectedChannel, find_channel
from lead_signals.connections.check_channel import check_channel
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import tenant_session

LEASE_SECONDS = 60.0  # longer than the four calls of a check may take; nobody renews it


async def check_now(
    engine: AsyncEngine, graph: GraphClient, settings: Settings, tenant_id: UUID, channel_id: UUID, *, now: Callable[[], datetime]
) -> ConnectedChannel:
    """The channel after its check.

    Raises RefusedRequest: 404 when the tenant has no such connected channel, 409 when it has no token or is being checked already.
    """
    async with tenant_session(engine, tenant_id) as session:
        channel = await find_channel(session, tenant_id, channel_id)
        if channel is None:
            raise _unknown(tenant_id, channel_id)
        if channel.token is None:
            raise RefusedRequest(409, "no_token", "This channel was connected without a token: there is nothing to check.")
        claim = await claim_check(session, tenant_id, channel_id, lease_seconds=LEASE_SECONDS)
    if claim is None:
        raise RefusedRequest(409, "being_checked", "This channel is being checked at this very moment; look at it again in a minute.")
    await check_channel(engine, graph, settings, claim, now=now)
    async with tenant_session(engine, tenant_id) as session:
        channel = await find_channel(session, tenant_id, channel_id)
    if channel is None:
        raise _unknown(tenant_id, channel_id)
    return channel


def _unknown(tenant_id: UUID, channel_id: UUID) -> RefusedRequest:
    return RefusedRequest(404, "unknown_channel", f"The tenant {tenant_id} has no connected channel {channel_id}.")
