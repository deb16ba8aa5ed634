"""Retention: raw bytes go at their age, with what quarantine kept of them; counts, leads and everything younger stay."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake.age_receipts import age_receipts
from tests.deliveries import URGENT
from tests.intake.a_mixed_day import Day, everything, mock, mocks, replay_door, send, two_tenants
from tests.intake.books import assert_books_balance
from tests.intake.open_door import execute, fetch
from tests.intake.page_deliveries import delivery, page_entry


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its tests count what is in all of it."""
    return make_database()


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with replay_door(database) as client:
        yield client


@pytest.fixture
async def day(engine: AsyncEngine) -> Day:
    return await two_tenants(engine)


async def five_deliveries(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, *days_ago: int) -> None:
    """One for each of `days_ago`; each holds a comment and something strange."""
    for number, days in enumerate(days_ago):
        await send(client, mocks(mock(f"c{number}", URGENT), "strange"), tenant_id)  # type: ignore[arg-type]
        await execute(
            database.owner,
            f"UPDATE receipts SET received_at = now() - interval '{days} days' WHERE tenant_id = '{tenant_id}' AND id ="
            f" (SELECT receipt_id FROM lead_signals WHERE tenant_id = '{tenant_id}' AND external_message_id = 'c{number}')",
        )


async def kept(database: DatabaseAddresses, tenant_id: UUID) -> list[tuple[Any, ...]]:
    """For each receipt, oldest first: whether its body and its quarantined item are there, and whether its removal was noted."""
    rows = await fetch(
        database.owner,
        "SELECT r.body IS NOT NULL, q.item IS NOT NULL, r.body_removed_at IS NOT NULL FROM receipts r"
        " JOIN quarantined_items q ON (q.tenant_id, q.receipt_id) = (r.tenant_id, r.id) WHERE r.tenant_id = $1 ORDER BY r.received_at",
        tenant_id,
    )
    return [tuple(row) for row in rows]


THERE, GONE = (True, True, False), (False, False, True)


@pytest.mark.parametrize("at_once", [1, 2, 1_000])
async def test_what_is_older_than_the_setting_loses_its_bytes_with_every_tenant(
    at_once: int, day: Day, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    await age_receipts(engine, 90, clock.now())  # of other tests
    await five_deliveries(client, database, day.here, 200, 120, 91, 89, 0)
    await five_deliveries(client, database, day.there, 95, 5)
    before = await everything(database.owner, but=("receipts", "quarantined_items"))

    assert await age_receipts(engine, 90, clock.now(), at_once=at_once) == 4

    assert await kept(database, day.here) == [GONE, GONE, GONE, THERE, THERE]
    assert await kept(database, day.there) == [GONE, THERE]
    await assert_books_balance(database.owner, day.here)
    assert await everything(database.owner, but=("receipts", "quarantined_items")) == before
    assert await age_receipts(engine, 90, clock.now(), at_once=at_once) == 0


async def test_nothing_else_of_a_receipt_changes(
    day: Day, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    await five_deliveries(client, database, day.here, 40)
    statement = "SELECT to_jsonb(r) - 'body' - 'body_removed_at' AS rest FROM receipts r WHERE tenant_id = $1"
    before = await fetch(database.owner, statement, day.here)
    await age_receipts(engine, 30, clock.now())
    assert await fetch(database.owner, statement, day.here) == before
    (reason,) = await fetch(database.owner, "SELECT reason FROM quarantined_items WHERE tenant_id = $1", day.here)
    assert reason["reason"] == "entry_not_object"


async def test_zero_days_keep_everything(day: Day, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    await five_deliveries(client, database, day.here, 3_000)
    before = await everything(database.owner)
    assert await age_receipts(engine, 0, clock.now()) == 0
    assert await everything(database.owner) == before


async def test_the_moment_is_the_callers(day: Day, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    await five_deliveries(client, database, day.here, 0)
    await age_receipts(engine, 90, clock.now() + timedelta(days=89))
    assert await kept(database, day.here) == [THERE]
    await age_receipts(engine, 90, clock.now() + timedelta(days=91))
    assert await kept(database, day.here) == [GONE]


async def test_deliveries_of_unknown_pages_go_as_a_whole(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    await age_receipts(engine, 90, clock.now())
    page = str(uuid4().int)[:15]
    for number in range(5):
        await send(client, delivery(page_entry(page, (f"u{number}", URGENT))))
    oldest_first = await fetch(
        database.owner, "SELECT id FROM unrouted_deliveries WHERE channel_external_id = $1 ORDER BY received_at", page
    )
    for row in oldest_first[:3]:
        await execute(database.owner, f"UPDATE unrouted_deliveries SET received_at = now() - interval '91 days' WHERE id = '{row['id']}'")
    await execute(database.owner, f"UPDATE unrouted_deliveries SET admitted_at = now() WHERE id = '{oldest_first[0]['id']}'")
    assert await age_receipts(engine, 90, clock.now(), at_once=2) == 3
    left = await fetch(database.owner, "SELECT received_at FROM unrouted_deliveries WHERE channel_external_id = $1", page)
    assert len(left) == 2
    assert all(row["received_at"] > clock.now() - timedelta(days=1) for row in left)
