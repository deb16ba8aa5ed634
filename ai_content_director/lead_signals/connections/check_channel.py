"""Keep one promise to a channel: ask Graph with no transaction open, then write down what was found, and when to look again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.channel_check import CheckState, channel_checks
from lead_signals.connections.check_schedule import next_check_in, retry_check_in
from lead_signals.connections.look_at_token import TokenLook, look_at_token
from lead_signals.connections.sealed_token import BrokenSeal, NoSealingKey, TokenPlace, TokenSeal
from lead_signals.database.lease import Claim, settle
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.log_context import get_logger
from lead_signals.settings import Settings
from lead_signals.tenancy.channel import TokenState, channels
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

log = get_logger(__name__)

KEY_RETRY = timedelta(hours=1)  # an operator who sets the key restarts the worker, and may check by hand
CRASH_LIMIT = 5  # claims in a row that ended in nothing: the next try waits for a whole turn


@dataclass(frozen=True, slots=True)
class _Channel:
    place: TokenPlace
    external_id: str
    sealed_token: bytes


async def check_channel(engine: AsyncEngine, graph: GraphClient, settings: Settings, claim: Claim, *, now: Callable[[], datetime]) -> bool:
    """One check of one channel; whether it counted. It does not when the row was claimed again or the channel changed meanwhile.

    A database that goes away in the middle raises, and leaves the row to the next worker: asking Graph twice harms nobody.
    """
    channel = await _read(engine, claim)
    if channel is None:
        return False
    seal = TokenSeal(settings.channel_token_key)
    try:
        token = seal.open(channel.sealed_token, channel.place)
    except (BrokenSeal, NoSealingKey) as unopened:
        return await _tell_of_the_key(engine, claim, channel, unopened)
    pause_seconds = graph.pause_seconds(token.get_secret_value())
    if pause_seconds > 0:
        return await _put_off(engine, claim, pause_seconds)
    look = await look_at_token(graph, channel.place.platform, channel.external_id, token, app_id=settings.facebook_app_id, now=now())
    return await _write_down(engine, claim, channel, look, now(), resealed=_resealed(seal, channel, token))


async def _read(engine: AsyncEngine, claim: Claim) -> _Channel | None:
    """The channel to look at; None when the claim is no longer ours, nothing is owed any more, or it kills worker after worker."""
    async with tenant_session(engine, claim.tenant_id) as session:
        row = (
            await session.execute(
                select(channels.c.id, channels.c.platform, channels.c.external_id, channels.c.sealed_token)
                .join(
                    channel_checks,
                    (channel_checks.c.tenant_id == channels.c.tenant_id) & (channel_checks.c.channel_id == channels.c.id),
                )
                .where(
                    channel_checks.c.tenant_id == claim.tenant_id,
                    channel_checks.c.id == claim.id,
                    channel_checks.c.lease_token == claim.lease_token,
                    channel_checks.c.finished_at.is_(None),
                )
            )
        ).one_or_none()
        if row is None:
            return None
        if row.sealed_token is None:
            await settle(session, channel_checks, claim, {"state": CheckState.ENDED.value, "finished_at": func.now()})
            return None
        if claim.state_before == CheckState.CHECKING.value and claim.attempts > CRASH_LIMIT:
            await settle(session, channel_checks, claim, _again_in(next_check_in()))
            log.error("channel_check_crashes", tenant_id=str(claim.tenant_id), channel_id=str(row.id), attempts=claim.attempts)
            return None
    return _Channel(TokenPlace(claim.tenant_id, row.platform, row.id), row.external_id, row.sealed_token)


def _resealed(seal: TokenSeal, channel: _Channel, token: SecretStr) -> bytes | None:
    """The token under the newest key, when an older one sealed it: after one round of checks the older key can go."""
    return None if seal.is_of_the_first_key(channel.sealed_token, channel.place) else seal.seal(token, channel.place)


async def _tell_of_the_key(engine: AsyncEngine, claim: Claim, channel: _Channel, unopened: BrokenSeal | NoSealingKey) -> bool:
    """The key is ours, and says nothing about the token: its state stays, and the sentence stands until a check can open it again."""
    place = channel.place
    async with tenant_session(engine, claim.tenant_id) as session:
        counted = await settle(session, channel_checks, claim, _again_in(KEY_RETRY) | {"attempts": claim.attempts - 1})
        if counted:
            this_one = (channels.c.tenant_id == place.tenant_id, channels.c.id == place.channel_id)
            await session.execute(update(channels).where(*this_one).values(check_sentence=str(unopened)))
    log.error(
        "channel_token_stays_sealed",
        tenant_id=str(place.tenant_id),
        channel_id=str(place.channel_id),
        error=unopened.__class__.__name__,
        counted=counted,
    )
    return counted


async def _put_off(engine: AsyncEngine, claim: Claim, seconds: float) -> bool:
    """Not asked at all: Graph said how long to leave it alone."""
    async with tenant_session(engine, claim.tenant_id) as session:
        later = _again_in(timedelta(seconds=seconds)) | {"attempts": claim.attempts - 1}
        return await settle(session, channel_checks, claim, later)


async def _write_down(
    engine: AsyncEngine, claim: Claim, channel: _Channel, look: TokenLook, at: datetime, *, resealed: bytes | None = None
) -> bool:
    """Result and next turn in one transaction, or nothing when the lease was lost."""
    answered = look.state is not TokenState.UNCHECKED
    turn = _again_in(next_check_in()) | {"attempts": 0} if answered else _again_in(retry_check_in(claim.attempts, look.retry_after_seconds))
    async with tenant_session(engine, claim.tenant_id) as session:
        counted = await settle(session, channel_checks, claim, turn)
        if counted:
            await _write_result(session, channel, look, at, resealed)
    log.info(
        "channel_checked",
        tenant_id=str(claim.tenant_id),
        channel_id=str(channel.place.channel_id),
        platform=channel.place.platform,
        state=look.state.value,
        counted=counted,
    )
    return counted


async def _write_result(session: TenantSession, channel: _Channel, look: TokenLook, at: datetime, resealed: bytes | None) -> None:
    values: dict[str, Any] = {"check_sentence": look.sentence}
    if look.state is not TokenState.UNCHECKED:
        values |= {"token_state": look.state.value, "checked_at": at}
    if look.state in (TokenState.OK, TokenState.PERMISSION):
        values["token_expires_at"] = look.expires_at
        values["name"] = func.coalesce(channels.c.name, look.page_name)
    if look.subscribed_fields is not None:
        values["subscribed_fields"] = list(look.subscribed_fields)
    if resealed is not None:
        values["sealed_token"] = resealed
    await session.execute(
        update(channels).where(channels.c.tenant_id == channel.place.tenant_id, channels.c.id == channel.place.channel_id).values(**values)
    )


def _again_in(delay: timedelta) -> dict[str, Any]:
    return {"state": CheckState.WAITING.value, "due_at": func.now() + delay}
