"""Which channels need a person, for doctor, /ready and /metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select

from lead_signals import clock
from lead_signals.connections.channel_check import channel_checks
from lead_signals.connections.look_at_token import EXPIRY_WARNING
from lead_signals.connections.sealed_token import KEY_SENTENCES
from lead_signals.tenancy.channel import TokenState, channels
from lead_signals.tenancy.tenant import tenants
from lead_signals.tenancy.tenant_session import AcrossTenantsSession

FAILED_CHECKS_TOLD = 5  # by then Graph has been asked for a quarter of an hour in vain


@dataclass(frozen=True, slots=True)
class ChannelTrouble:
    """One channel and what is the matter. Names were written by strangers: make them printable before a terminal sees them."""

    tenant_id: UUID
    tenant_name: str
    channel_id: UUID
    platform: str
    external_id: str
    name: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """`quiet`: channels far quieter than their habit. `needing_a_hand`: tokens or subscriptions that a person must mend."""

    quiet: tuple[ChannelTrouble, ...] = ()
    needing_a_hand: tuple[ChannelTrouble, ...] = ()


async def channel_health(session: AcrossTenantsSession, *, now: datetime | None = None) -> ChannelHealth:
    """Read every connected channel of every tenant that is not well. A channel may be in both lists."""
    at = now or clock.now()
    dead = channels.c.token_state.in_([TokenState.RECONNECT.value, TokenState.PERMISSION.value, TokenState.BLOCKED.value])
    bad = or_(dead, func.coalesce(channels.c.check_sentence, "").in_(KEY_SENTENCES))
    ends_soon = channels.c.token_expires_at <= at + EXPIRY_WARNING
    in_vain = channel_checks.c.attempts >= FAILED_CHECKS_TOLD
    rows = (
        await session.execute(
            select(channels, tenants.c.name.label("tenant_name"), bad.label("bad"), ends_soon.label("ends_soon"), in_vain.label("in_vain"))
            .join(tenants, tenants.c.id == channels.c.tenant_id)
            .outerjoin(
                channel_checks, and_(channel_checks.c.tenant_id == channels.c.tenant_id, channel_checks.c.channel_id == channels.c.id)
            )
            .where(channels.c.disconnected_at.is_(None), or_(channels.c.quiet_since.is_not(None), bad, ends_soon, in_vain))
            .order_by(tenants.c.name, channels.c.created_at, channels.c.id)
        )
    ).all()
    return ChannelHealth(
        quiet=tuple(_trouble(row, _quiet(row, at)) for row in rows if row.quiet_since is not None),
        needing_a_hand=tuple(_trouble(row, _hand(row)) for row in rows if row.bad or row.ends_soon or row.in_vain),
    )


def _trouble(row: Row[Any], sentence: str) -> ChannelTrouble:
    return ChannelTrouble(row.tenant_id, row.tenant_name, row.id, row.platform, row.external_id, row.name, sentence)


def _quiet(row: Row[Any], at: datetime) -> str:
    hours = 0 if row.last_heard_at is None else (at - row.last_heard_at) // timedelta(hours=1)
    # Without a token `channels check` has nothing to ask with, and refuses.
    asks_itself = row.token_state != TokenState.NONE
    look = (
        "check its subscription with lead-signals channels check" if asks_itself else "at the webhook settings on the platform's own page"
    )
    return f"Nothing was heard for {hours} hours, far longer than is usual here: look at the channel itself, and {look}."


def _hand(row: Row[Any]) -> str:
    if row.check_sentence is not None:
        return str(row.check_sentence)
    if row.ends_soon:
        return f"The token works until {row.token_expires_at:%Y-%m-%d %H:%M} UTC only; connect the channel again before that."
    return "Its checks end without a result; the worker's log tells why."
