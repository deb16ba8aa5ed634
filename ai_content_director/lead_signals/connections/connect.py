"""Connect a Page or account to a tenant: from the commit on its deliveries are this tenant's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.connections.channel_check import promise_check
from lead_signals.connections.channel_list import ConnectedChannel, find_channel
from lead_signals.connections.channel_wish import ChannelWish
from lead_signals.connections.check_schedule import next_check_in
from lead_signals.connections.look_at_token import TokenLook, look_at_token
from lead_signals.connections.sealed_token import NoSealingKey, TokenPlace, TokenSeal
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.leads.look_up import make_due
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.channel import TokenState, channels, connect_channel
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession, across_tenants_session, enter_tenant

AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Connected:
    """The channel as it is now, and whether it was not connected before."""

    channel: ConnectedChannel
    is_new: bool


async def connect(engine: AsyncEngine, graph: GraphClient, settings: Settings, wish: ChannelWish, *, now: datetime) -> Connected:
    """Look at the token first, with no transaction open; then write channel, sealed token, promised check and audit event together.

    Connecting it again renews name and token. A Graph that is away does not prevent it: the check is due at once, and the worker asks.
    Raises RefusedRequest: 404 for an unknown tenant; 409 when another tenant has the Page, or a token comes and no key is set to seal
    it; 422 when Graph says that the token is dead, of another Page or of another app.
    """
    seal = TokenSeal(settings.channel_token_key)
    if wish.access_token is not None and not seal.can_seal:
        raise RefusedRequest(409, "no_sealing_key", str(NoSealingKey()))
    async with across_tenants_session(engine) as everywhere:
        await _refuse_impossible(everywhere, wish)
    look = None
    if wish.access_token is not None:
        look = await look_at_token(graph, wish.platform, wish.external_id, wish.access_token, app_id=settings.facebook_app_id, now=now)
        if look.state is TokenState.RECONNECT:
            raise RefusedRequest(422, "useless_token", _useless(look))
    async with across_tenants_session(engine) as everywhere:
        # Two tenants at the same moment: the second waits here until the first has committed, and is then refused.
        await everywhere.execute(_ONE_AT_A_TIME, {"which": f"channel {wish.platform} {wish.external_id}"})
        session = await _refuse_impossible(everywhere, wish)
        return await _write(session, seal, wish, look, now)


def _useless(look: TokenLook) -> str:
    """Graph's sentences on dead tokens speak of a Page that was connected; here it may be the first time, and a slip of the hand."""
    if look.failure is None:
        return look.sentence or "This token does not work."
    why = _WHY_DEAD.get(look.failure.subcode or 0, "it has ended, or was not copied as a whole")
    return f"This token does not work: {why}. Take a new Page access token, and connect with that."


_WHY_DEAD = {
    458: "our app was removed from the account it was made with",
    459: "Facebook holds the account it was made with at a security check; sign in at facebook.com first",
    460: "the password of the account it was made with was changed",
    463: "it has expired",
    467: "it was made invalid, or was not copied as a whole",
}
"""Graph's subcodes of code 190."""

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:which, 0))")


async def _refuse_impossible(everywhere: AcrossTenantsSession, wish: ChannelWish) -> TenantSession:
    """The session, turned to the tenant of the wish, when both may have each other."""
    owner = (
        await everywhere.execute(
            select(channels.c.tenant_id).where(
                channels.c.platform == wish.platform,
                channels.c.external_id == wish.external_id,
                channels.c.disconnected_at.is_(None),
                channels.c.tenant_id != wish.tenant_id,
            )
        )
    ).first()
    session = await enter_tenant(everywhere, wish.tenant_id)
    if await find_tenant(session, wish.tenant_id) is None:
        raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {wish.tenant_id}; onboard it with POST /onboarding.")
    if owner is not None:
        sentence = f"{wish.platform} {wish.external_id} is connected to another tenant; disconnect it there first."
        raise RefusedRequest(409, "channel_of_another_tenant", sentence)
    return session


async def _write(session: TenantSession, seal: TokenSeal, wish: ChannelWish, look: TokenLook | None, now: datetime) -> Connected:
    was_connected = await _is_connected(session, wish)
    channel_id = await connect_channel(
        session,
        wish.tenant_id,
        platform=wish.platform,
        external_id=wish.external_id,
        name=wish.name or (None if look is None else look.page_name),
    )
    if look is not None and wish.access_token is not None:
        place = TokenPlace(wish.tenant_id, wish.platform, channel_id)
        await session.execute(
            update(channels)
            .where(channels.c.tenant_id == wish.tenant_id, channels.c.id == channel_id)
            .values(_of_token(seal, wish.access_token, place, look, now))
        )
        unanswered = look.state is TokenState.UNCHECKED
        await promise_check(session, wish.tenant_id, channel_id, due_in=AT_ONCE if unanswered else next_check_in())
        # Forms and names that waited for a token: their leads are asked about now.
        await make_due(session, wish.tenant_id, platform=wish.platform, channel_external_id=wish.external_id)
    if not was_connected or wish.access_token is not None:
        detail = {"platform": wish.platform, "external_id": wish.external_id, "with_token": wish.access_token is not None}
        event = AuditEvent(AuditEventType.CHANNEL_CONNECTED, "channel", channel_id, detail, actor=OPERATOR)
        await record(session, wish.tenant_id, [event])
    return Connected(await _just_written(session, wish.tenant_id, channel_id), is_new=not was_connected)


async def _is_connected(session: TenantSession, wish: ChannelWish) -> bool:
    row = await session.execute(
        select(channels.c.id).where(
            channels.c.tenant_id == wish.tenant_id,
            channels.c.platform == wish.platform,
            channels.c.external_id == wish.external_id,
            channels.c.disconnected_at.is_(None),
        )
    )
    return row.first() is not None


def _of_token(seal: TokenSeal, token: SecretStr, place: TokenPlace, look: TokenLook, now: datetime) -> dict[str, Any]:
    return {
        "sealed_token": seal.seal(token, place),
        "token_state": look.state.value,
        "token_expires_at": look.expires_at,
        "subscribed_fields": list(look.subscribed_fields or ()),
        "checked_at": None if look.state is TokenState.UNCHECKED else now,
        "check_sentence": look.sentence,
    }


async def _just_written(session: TenantSession, tenant_id: UUID, channel_id: UUID) -> ConnectedChannel:
    channel = await find_channel(session, tenant_id, channel_id)
    if channel is None:
        raise LookupError(f"channel {channel_id} is gone in the transaction that wrote it")
    return channel
