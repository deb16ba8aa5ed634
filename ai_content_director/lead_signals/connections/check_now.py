"""Check a channel now, because a person asked: the same check as the worker's, under the same lease."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.channel_check import claim_check
from lead_signals.connections.channel_list import ConnectedChannel, find_channel
from lead_signals.connections.check_channel import check_channel
from lead_signals.connections.sealed_token import BrokenSeal, NoSealingKey, TokenPlace, TokenSeal
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

LEASE_SECONDS = 60.0  # longer than the four calls of a check may take; nobody renews it


async def check_now(
    engine: AsyncEngine, graph: GraphClient, settings: Settings, tenant_id: UUID, channel_id: UUID, *, now: Callable[[], datetime]
) -> ConnectedChannel:
    """The channel after its check.

    Raises RefusedRequest: 404 when the tenant has no such connected channel; 409 when it has no token, no key here opens it (nothing is
    written then: another process may well have the key), or it is being checked already.
    """
    async with tenant_session(engine, tenant_id) as session:
        channel = await find_channel(session, tenant_id, channel_id)
        if channel is None:
            raise _unknown(tenant_id, channel_id)
        if channel.token is None:
            raise RefusedRequest(409, "no_token", "This channel was connected without a token: there is nothing to check.")
        await _refuse_without_its_key(session, settings, channel)
        claim = await claim_check(session, tenant_id, channel_id, lease_seconds=LEASE_SECONDS)
    if claim is None:
        raise RefusedRequest(409, "being_checked", "This channel is being checked at this very moment; look at it again in a minute.")
    await check_channel(engine, graph, settings, claim, now=now)
    async with tenant_session(engine, tenant_id) as session:
        channel = await find_channel(session, tenant_id, channel_id)
    if channel is None:
        raise _unknown(tenant_id, channel_id)
    return channel


async def _refuse_without_its_key(session: TenantSession, settings: Settings, channel: ConnectedChannel) -> None:
    this_one = (channels.c.tenant_id == channel.tenant_id, channels.c.id == channel.id)
    sealed = (await session.execute(select(channels.c.sealed_token).where(*this_one))).scalar_one()
    try:
        if sealed is not None:  # None when somebody disconnects it just now, and then there is no check to claim
            TokenSeal(settings.channel_token_key).open(sealed, TokenPlace(channel.tenant_id, channel.platform, channel.id))
    except (BrokenSeal, NoSealingKey) as unopened:
        raise RefusedRequest(409, "sealed_by_another_key", str(unopened)) from None


def _unknown(tenant_id: UUID, channel_id: UUID) -> RefusedRequest:
    return RefusedRequest(404, "unknown_channel", f"The tenant {tenant_id} has no connected channel {channel_id}.")
