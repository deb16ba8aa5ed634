"""The watchdog's round on a real database: what was heard is counted once, and a Page that breaks its habit is marked until it speaks."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.channel_hour import channel_hours
from lead_signals.connections.heard_hour import HeardHour
from lead_signals.connections.watch_silence import HOURS_KEPT, SETTLING, watch_silence
from lead_signals.database.new_id import new_id
from lead_signals.intake.heard_channels import heard_channels
from lead_signals.intake.receipt import receipts
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session
from tests.connections.connected_pages import Shop
from tests.graph_api.graph_stand_in import PAGE_ID

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OTHER_PAGE = "700000000000002"


@pytest.fixture
async def page(shop: Shop) -> UUID:
    """A Page that was connected two months ago, and of which nothing was tallied yet."""
    channel = (await shop.connected(token=None)).channel
    async with tenant_session(shop.engine, shop.tenant) as session:
        await session.execute(update(channels).values(created_at=NOON - 60 * DAY))
    return channel.id


async def hear(shop: Shop, moments: Iterable[datetime], *, pages: Sequence[str] = (PAGE_ID,), whose: UUID | None = None) -> None:
    """Receipts of deliveries that came at these moments."""
    tenant_id = whose or shop.tenant
    receipt = {
        "tenant_id": tenant_id,
        "platform": "facebook",
        "tenant_id_source": "channel",
        "signed": True,
        "body": b"{}",
        "body_is_excerpt": False,
        "channels": list(pages),
        **{f"items_{what}": 0 for what in ("received", "created", "updated", "duplicate", "ignored", "quarantined")},
        "ignored_reasons": {},
    }
    async with tenant_session(shop.engine, tenant_id) as session:
        await session.execute(insert(receipts), [{**receipt, "id": new_id(), "received_at": moment} for moment in moments])


async def watch(engine: AsyncEngine, at: datetime) -> int:
    """One round, when everything up to `at` has settled."""
    return await watch_silence(engine, heard_channels, now=lambda: at + SETTLING)


async def tally(shop: Shop, whose: UUID | None = None) -> dict[datetime, int]:
    async with tenant_session(shop.engine, whose or shop.tenant) as session:
        rows = await session.execute(select(channel_hours).order_by(channel_hours.c.hour))
        return {row.hour: row.deliveries for row in rows}


def every_hour(start: datetime, end: datetime) -> list[datetime]:
    return [start + HOUR * step for step in range((end - start) // HOUR)]


@pytest.mark.usefixtures("page")
async def test_deliveries_are_counted_by_the_hour_and_only_once(shop: Shop) -> None:
    await hear(shop, [NOON - 90 * HOUR, NOON - HOUR, NOON - HOUR / 2, NOON - timedelta(minutes=1)])
    for _ in range(3):
        assert await watch(shop.engine, NOON) == 0
    assert await tally(shop) == {NOON - 90 * HOUR: 1, NOON - HOUR: 3}
    row = await shop.row()
    assert (row.last_heard_at, row.heard_until) == (NOON - timedelta(minutes=1), NOON)
    await hear(shop, [NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)])
    await watch(shop.engine, NOON + timedelta(minutes=15))
    await watch(shop.engine, NOON + timedelta(minutes=25))
    assert (await tally(shop))[NOON] == 2


@pytest.mark.usefixtures("page")
async def test_what_may_still_be_committing_is_left_for_the_next_round(shop: Shop) -> None:
    await hear(shop, [NOON - SETTLING / 2])
    await watch_silence(shop.engine, heard_channels, now=lambda: NOON)
    assert await tally(shop) == {}
    await hear(shop, [NOON - SETTLING + timedelta(seconds=1)])  # began before the round, committed after it
    await watch_silence(shop.engine, heard_channels, now=lambda: NOON + SETTLING)
    assert sum((await tally(shop)).values()) == 2


@pytest.mark.usefixtures("page")
async def test_two_watchdogs_at_once_count_nothing_twice(shop: Shop) -> None:
    await hear(shop, [NOON - HOUR * step for step in range(1, 40)])
    await asyncio.gather(*(watch(shop.engine, NOON) for _ in range(4)))
    assert sum((await tally(shop)).values()) == 39


@pytest.mark.usefixtures("page")
async def test_each_channel_hears_itself(shop: Shop) -> None:
    neighbour = await shop.neighbour()
    await shop.connected(neighbour, token=None, external_id=OTHER_PAGE)
    async with tenant_session(shop.engine, neighbour) as session:
        await session.execute(update(channels).values(heard_until=NOON - DAY))
    await hear(shop, [NOON - HOUR], pages=[PAGE_ID, OTHER_PAGE, "unknown"])
    await hear(shop, [NOON - 2 * HOUR, NOON - 2 * HOUR, NOON - 2 * DAY], pages=[OTHER_PAGE], whose=neighbour)
    await watch(shop.engine, NOON)
    assert await tally(shop) == {NOON - HOUR: 1}
    assert await tally(shop, neighbour) == {NOON - 2 * HOUR: 2}
    async with tenant_session(shop.engine, shop.tenant) as session:
        assert {row.tenant_id for row in await session.execute(select(channel_hours))} == {shop.tenant}


@pytest.mark.usefixtures("page")
async def test_a_page_that_breaks_its_habit_is_marked_once_and_cleared_when_it_speaks(shop: Shop) -> None:
    await hear(shop, every_hour(NOON - 28 * DAY, NOON))
    assert await watch(shop.engine, NOON) == 0
    assert await watch(shop.engine, NOON + 12 * HOUR) == 0
    assert await watch(shop.engine, NOON + 13 * HOUR) == 1
    row = await shop.row()
    assert (row.quiet_since, row.last_heard_at) == (NOON + 13 * HOUR, NOON - HOUR)
    assert await watch(shop.engine, NOON + 14 * HOUR) == 0
    assert (await shop.row()).quiet_since == NOON + 13 * HOUR
    await hear(shop, [NOON + 15 * HOUR])
    assert await watch(shop.engine, NOON + 16 * HOUR) == 0
    assert (await shop.row()).quiet_since is None


@pytest.mark.usefixtures("page")
async def test_a_silence_is_not_forgotten_when_its_history_is(shop: Shop) -> None:
    await hear(shop, every_hour(NOON - 28 * DAY, NOON))
    await watch(shop.engine, NOON)
    assert await watch(shop.engine, NOON + DAY) == 1
    await watch(shop.engine, NOON + 2 * HOURS_KEPT)
    assert await tally(shop) == {}
    assert (await shop.row()).quiet_since == NOON + DAY


@pytest.mark.usefixtures("page")
async def test_hours_go_after_five_weeks(shop: Shop) -> None:
    await hear(shop, [NOON - 34 * DAY, NOON - HOUR])
    await watch(shop.engine, NOON)
    assert len(await tally(shop)) == 2
    await watch(shop.engine, NOON + 2 * DAY)
    assert list(await tally(shop)) == [NOON - HOUR]


async def test_a_channel_nobody_has_any_more_is_not_watched(shop: Shop, page: UUID) -> None:
    await hear(shop, every_hour(NOON - 28 * DAY, NOON))
    await watch(shop.engine, NOON)
    await shop.disconnect(page)
    assert await watch(shop.engine, NOON + 5 * DAY) == 0
    row = await shop.row()
    assert (row.quiet_since, row.heard_until) == (None, NOON)


async def test_after_a_reconnection_the_old_habit_no_longer_counts(shop: Shop, page: UUID) -> None:
    await hear(shop, every_hour(NOON - 28 * DAY, NOON))
    await watch(shop.engine, NOON)
    await shop.disconnect(page)
    await shop.connected(token=None)
    row: Row[Any] = await shop.row()
    later = row.heard_until + 10 * DAY
    assert await watch(shop.engine, later) == 0
    assert (await shop.row()).heard_until == later


@pytest.mark.usefixtures("page")
async def test_one_tenants_trouble_is_not_its_neighbours(shop: Shop) -> None:
    neighbour = await shop.neighbour()
    await shop.connected(neighbour, token=None, external_id=OTHER_PAGE)

    async def stumbles(session: TenantSession, tenant_id: UUID, after: datetime, until: datetime) -> Sequence[HeardHour]:
        if tenant_id == shop.tenant:
            raise ZeroDivisionError
        return await heard_channels(session, tenant_id, after, until)

    at = datetime.now(UTC) + DAY
    await watch_silence(shop.engine, stumbles, now=lambda: at)
    assert (await shop.row()).heard_until is None
    assert (await shop.row(neighbour)).heard_until == at - SETTLING


@pytest.mark.usefixtures("page")
async def test_a_database_that_is_away_is_the_callers_to_wait_for(shop: Shop) -> None:
    async def lost(*_: object) -> Sequence[HeardHour]:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await watch_silence(shop.engine, lost, now=lambda: NOON)


async def test_receipts_are_read_by_page_and_hour(shop: Shop) -> None:
    await hear(shop, [NOON, NOON + HOUR / 4, NOON + HOUR], pages=[PAGE_ID, OTHER_PAGE])
    await hear(shop, [NOON + HOUR], pages=[])
    neighbour = await shop.neighbour()
    await hear(shop, [NOON + HOUR], whose=neighbour)
    async with tenant_session(shop.engine, shop.tenant) as session:
        found = await heard_channels(session, shop.tenant, NOON, NOON + HOUR)
    assert found == [
        HeardHour("facebook", PAGE_ID, NOON, 1, NOON + HOUR / 4),
        HeardHour("facebook", OTHER_PAGE, NOON, 1, NOON + HOUR / 4),
        HeardHour("facebook", PAGE_ID, NOON + HOUR, 1, NOON + HOUR),
        HeardHour("facebook", OTHER_PAGE, NOON + HOUR, 1, NOON + HOUR),
    ]
