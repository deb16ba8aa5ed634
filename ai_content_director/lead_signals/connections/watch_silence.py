"""The watchdog of silence: tally which channels were heard, and mark those that are quieter than they ever are.

A lost subscription is silent by nature: nobody is told, and the leads just stop. The tally is written under locks of the channels and
moves `heard_until` with it, so two watchdogs at once would count nothing twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.channel_hour import channel_hours
from lead_signals.connections.heard_hour import HeardBetween, HeardHour
from lead_signals.connections.judge_silence import LEAST_SILENCE_HOURS, is_quiet
from lead_signals.database.availability import database_is_away
from lead_signals.log_context import get_logger
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.tenant_session import TenantSession, across_tenants_session, tenant_session

log = get_logger(__name__)

WATCH_SECONDS = 300.0
# A receipt bears the time its transaction began, and is seen when that commits: no statement takes longer than 15 s, a handful do.
SETTLING = timedelta(minutes=2)
HOURS_KEPT = timedelta(days=35)  # four weeks of history stay whole for the first week of a silence


async def watch_silence(engine: AsyncEngine, heard_between: HeardBetween, *, now: Callable[[], datetime]) -> int:
    """One round over all tenants, one transaction each; how many channels fell quiet. A tenant that fails is logged, and the next one
    has its turn. Raises only when the database is away."""
    until = now() - SETTLING
    fell_quiet = 0
    for tenant_id in await _tenants_with_channels(engine):
        try:
            async with tenant_session(engine, tenant_id) as session:
                fell_quiet += await _watch_tenant(session, tenant_id, heard_between, until)
        except Exception as error:
            if database_is_away(error):
                raise
            log.error("watch_silence_failed", tenant_id=str(tenant_id), error=error.__class__.__name__)
    return fell_quiet


async def _tenants_with_channels(engine: AsyncEngine) -> Sequence[UUID]:
    async with across_tenants_session(engine) as session:
        return (await session.execute(select(channels.c.tenant_id).where(channels.c.disconnected_at.is_(None)).distinct())).scalars().all()


@dataclass(frozen=True, slots=True)
class _Channel:
    id: UUID
    platform: str
    external_id: str
    tallied_until: datetime


async def _watch_tenant(session: TenantSession, tenant_id: UUID, heard_between: HeardBetween, until: datetime) -> int:
    watched = await _lock_channels(session, tenant_id, until)
    for after in sorted({channel.tallied_until for channel in watched}):  # nearly always one moment
        of_one_time = [channel for channel in watched if channel.tallied_until == after]
        await _tally(session, tenant_id, of_one_time, await heard_between(session, tenant_id, after, until), until)
    await session.execute(delete(channel_hours).where(channel_hours.c.tenant_id == tenant_id, channel_hours.c.hour < until - HOURS_KEPT))
    return await _judge(session, tenant_id, until)


async def _lock_channels(session: TenantSession, tenant_id: UUID, until: datetime) -> Sequence[_Channel]:
    """The connected channels that have something to tally; those connected a moment ago wait for the next round."""
    rows = await session.execute(
        select(channels.c.id, channels.c.platform, channels.c.external_id, channels.c.created_at, channels.c.heard_until)
        .where(channels.c.tenant_id == tenant_id, channels.c.disconnected_at.is_(None))
        .order_by(channels.c.id)
        .with_for_update(key_share=True)
    )
    found = [_Channel(row.id, row.platform, row.external_id, max(row.heard_until or row.created_at, until - HOURS_KEPT)) for row in rows]
    return [channel for channel in found if channel.tallied_until < until]


async def _tally(session: TenantSession, tenant_id: UUID, watched: Sequence[_Channel], heard: Sequence[HeardHour], until: datetime) -> None:
    id_of = {(channel.platform, channel.external_id): channel.id for channel in watched}
    mine = [(id_of[key], hour) for hour in heard if (key := (hour.platform, hour.external_id)) in id_of]
    if mine:
        statement = insert(channel_hours)
        await session.execute(  # row by row: five weeks of many channels are more values than one statement takes
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "channel_id", "hour"],
                set_={"deliveries": channel_hours.c.deliveries + statement.excluded.deliveries},
            ),
            [{"tenant_id": tenant_id, "channel_id": channel, "hour": hour.hour, "deliveries": hour.deliveries} for channel, hour in mine],
        )
    last_of: dict[UUID, datetime] = {}
    for channel, hour in mine:
        last_of[channel] = max(hour.last_at, last_of.get(channel, hour.last_at))
    for channel, last_at in last_of.items():
        await session.execute(_channel(tenant_id, channel).values(last_heard_at=last_at, quiet_since=None))
    await session.execute(
        update(channels)
        .where(channels.c.tenant_id == tenant_id, channels.c.id.in_([channel.id for channel in watched]))
        .values(heard_until=until)
    )


async def _judge(session: TenantSession, tenant_id: UUID, until: datetime) -> int:
    """Mark those that broke their habit. Only channels silent for long enough are read: most Pages spoke this morning."""
    silent = channels.c.last_heard_at < until - timedelta(hours=LEAST_SILENCE_HOURS)
    rows = await session.execute(
        select(channel_hours.c.channel_id, channel_hours.c.hour)
        .join(channels, (channels.c.tenant_id == channel_hours.c.tenant_id) & (channels.c.id == channel_hours.c.channel_id))
        .where(channels.c.tenant_id == tenant_id, channels.c.disconnected_at.is_(None), channels.c.quiet_since.is_(None), silent)
    )
    hours_of: dict[UUID, list[datetime]] = {}
    for row in rows:
        hours_of.setdefault(row.channel_id, []).append(row.hour)
    quiet = [channel for channel, hours in hours_of.items() if is_quiet(hours, until)]
    for channel in quiet:
        await session.execute(_channel(tenant_id, channel).values(quiet_since=until))
        log.warning("channel_fell_quiet", tenant_id=str(tenant_id), channel_id=str(channel))
    return len(quiet)


def _channel(tenant_id: UUID, channel_id: UUID) -> Any:
    return update(channels).where(channels.c.tenant_id == tenant_id, channels.c.id == channel_id)
