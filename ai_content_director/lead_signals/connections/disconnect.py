"""Disconnect a channel: no delivery is routed by it any more, its token is erased, and the platform is told to send nothing."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.connections.channel_check import end_checks
from lead_signals.connections.channel_hour import channel_hours
from lead_signals.connections.sealed_token import BrokenSeal, NoSealingKey, TokenPlace, TokenSeal
from lead_signals.connections.watched_fields import FACEBOOK
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.channel import TokenState, channels
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What was disconnected. `unsubscribed` tells whether the platform sends nothing more; `sentence` what is left to do by hand."""

    id: UUID
    tenant_id: UUID
    platform: str
    external_id: str
    unsubscribed: bool
    sentence: str


async def disconnect(engine: AsyncEngine, graph: GraphClient, settings: Settings, tenant_id: UUID, channel_id: UUID) -> Disconnected:
    """Unsubscribe first, then let go: should we end in between, the channel is still ours, and its next check subscribes again.

    What the platform answers does not hold it up. Raises RefusedRequest (404) when the tenant has no such connected channel.
    """
    async with tenant_session(engine, tenant_id) as session:
        channel = await _connected(session, tenant_id, channel_id)
    unsubscribed, sentence = await _unsubscribe(graph, TokenSeal(settings.channel_token_key), channel)
    async with tenant_session(engine, tenant_id) as session:
        await _connected(session, tenant_id, channel_id, lock=True)
        await session.execute(update(channels).where(channels.c.tenant_id == tenant_id, channels.c.id == channel_id).values(_LET_GO))
        await session.execute(delete(channel_hours).where(channel_hours.c.tenant_id == tenant_id, channel_hours.c.channel_id == channel_id))
        await end_checks(session, tenant_id, channel_id)
        detail = {"platform": channel.place.platform, "external_id": channel.external_id, "unsubscribed": unsubscribed}
        event = AuditEvent(AuditEventType.CHANNEL_DISCONNECTED, "channel", channel_id, detail, actor=OPERATOR)
        await record(session, tenant_id, [event])
    return Disconnected(channel_id, tenant_id, channel.place.platform, channel.external_id, unsubscribed, sentence)


_LET_GO: dict[str, Any] = {
    "disconnected_at": func.now(),
    "sealed_token": None,
    "token_state": TokenState.NONE.value,
    "token_expires_at": None,
    "subscribed_fields": [],
    "checked_at": None,
    "check_sentence": None,
    "quiet_since": None,
}


@dataclass(frozen=True, slots=True)
class _Channel:
    place: TokenPlace
    external_id: str
    sealed_token: bytes | None


async def _connected(session: TenantSession, tenant_id: UUID, channel_id: UUID, *, lock: bool = False) -> _Channel:
    wanted = select(channels.c.id, channels.c.platform, channels.c.external_id, channels.c.sealed_token).where(
        channels.c.tenant_id == tenant_id, channels.c.id == channel_id, channels.c.disconnected_at.is_(None)
    )
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        raise RefusedRequest(404, "unknown_channel", f"The tenant {tenant_id} has no connected channel {channel_id}.")
    return _Channel(TokenPlace(tenant_id, row.platform, row.id), row.external_id, row.sealed_token)


async def _unsubscribe(graph: GraphClient, seal: TokenSeal, channel: _Channel) -> tuple[bool, str]:
    if channel.sealed_token is None:
        return False, _BY_HAND.format(why="There was no token to tell the platform by")
    if channel.place.platform != FACEBOOK:
        # Its subscription is its Page's, and the Page may be connected by itself.
        return False, _BY_HAND.format(why="The subscription of its Page was left as it is")
    try:
        token: SecretStr = seal.open(channel.sealed_token, channel.place)
    except (BrokenSeal, NoSealingKey):
        return False, _BY_HAND.format(why="The stored token could not be opened")
    failure = await graph.unsubscribe(channel.external_id, token.get_secret_value())
    if failure is not None:
        return False, _BY_HAND.format(why=f"The platform was told and did not confirm: {failure.sentence.rstrip('.')}")
    return True, "The platform sends nothing more of this channel."


_BY_HAND = (
    "{why}. What it still sends is kept as of an unknown channel; to end that, remove our app in the settings of the Page or account."
)
