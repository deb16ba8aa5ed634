"""Replays that are cut off, meet a person or meet each other: what was written stays, and nothing is written twice or over somebody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import webhook_routes
from lead_signals.intake.replay import replay
from lead_signals.intent.pack.rule_pack import RulePack, load_rule_pack
from lead_signals.leads.hold_history import hold_history
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import URGENT
from tests.intake.a_mixed_day import CAKE, everything, languages_in, mock, mocks, replay_door, rules_with_the_cake, send, two_tenants
from tests.intake.open_door import fetch
from tests.intake.replays import older_code, plan, replayed
from tests.waiting import wait_until_async

pytestmark = pytest.mark.usefixtures("rules_alone")


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its tests count what is in all of it."""
    return make_database()


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with replay_door(database) as client:
        yield client


@pytest.fixture
def cake(tmp_path: Path) -> RulePack:
    return load_rule_pack(languages_in(rules_with_the_cake(tmp_path)))


async def test_interrupted_it_goes_on_where_it_is_repeated(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    day = await two_tenants(engine)
    for number in range(6):
        await send(client, mocks(mock(f"c{number}", CAKE)), day.here)
    async with aclosing(replay(engine, plan(day.here, cake, write=True), [day.here], at_once=2)) as parts:
        first = await anext(parts)
    assert (first.receipts, first.written.read_again) == (2, 2)
    statement = "SELECT external_message_id FROM lead_signals WHERE tenant_id = $1 AND status = 'new_auto' ORDER BY 1"
    assert [row[0] for row in await fetch(database.owner, statement, day.here)] == ["c0", "c1"]
    rest = await replayed(engine, plan(day.here, cake, write=True), at_once=2)
    assert (rest.written.read_again, rest.receipts) == (4, 6)
    told = "SELECT id FROM audit_events WHERE tenant_id = $1 AND event_type = 'LEAD_SIGNAL_READ_AGAIN'"
    assert len(await fetch(database.owner, told, day.here)) == 6
    assert (await replayed(engine, plan(day.here, cake))).differences == 0


async def test_cut_off_in_the_middle_of_a_part_it_leaves_that_part_alone(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    day = await two_tenants(engine)
    await send(client, mocks(mock("c1", CAKE), mock("c2", CAKE)), day.here)
    before = await everything(database.owner)
    async with locked(database, day.here, "c2"):
        work = asyncio.create_task(replayed(engine, plan(day.here, cake, write=True)))
        await somebody_waits(database)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert await everything(database.owner) == before


async def test_a_person_who_decides_at_that_moment_comes_first(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    day = await two_tenants(engine)
    await send(client, mocks(mock("c1", CAKE), mock("c2", CAKE)), day.here)
    async with locked(database, day.here, "c2") as person:
        work = asyncio.create_task(replayed(engine, plan(day.here, cake, write=True)))
        await somebody_waits(database)
        await person.execute("UPDATE lead_signals SET status = 'dismissed' WHERE external_message_id = 'c2' AND tenant_id = $1", day.here)
    found = await work
    assert (found.written.read_again, found.written.overtaken) == (1, 1)
    statement = "SELECT status, intent_label FROM lead_signals WHERE tenant_id = $1 AND external_message_id = 'c2'"
    assert [tuple(row) for row in await fetch(database.owner, statement, day.here)] == [("dismissed", "unknown")]


@asynccontextmanager
async def locked(database: DatabaseAddresses, tenant_id: UUID, message: str) -> AsyncIterator[Any]:
    """Somebody has this lead open in a transaction, which commits at the end of the block."""
    connection = await asyncpg.connect(dsn=database.owner)
    try:
        async with connection.transaction():
            await connection.fetch(
                "SELECT 1 FROM lead_signals WHERE tenant_id = $1 AND external_message_id = $2 FOR UPDATE", tenant_id, message
            )
            yield connection
    finally:
        await connection.close()


async def somebody_waits(database: DatabaseAddresses) -> None:
    statement = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%lead_signals%'"
    )

    async def waits() -> list[Any]:
        return await fetch(database.owner, statement)

    await wait_until_async(waits, "the replay waits for the lead")


async def test_two_replays_at_once_create_each_lead_once(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have compared and wait before they write; nothing but their turns keeps a nameless lead from being made twice."""
    day = await two_tenants(engine)
    with monkeypatch.context() as then:
        then.setattr(webhook_routes, "prepare", older_code("CŨ"))
        await send(client, mocks(mock(None, f"CŨ {URGENT}")), day.here)
    async with tenant_session(engine, day.here) as session:
        await hold_history(session, day.here, changing=True)
        both = [asyncio.create_task(replayed(engine, plan(day.here, write=True))) for _ in range(2)]
        await wait_until_async(partial(enough_wait_for_a_turn, database, 2), "both replays wait")
    assert sorted([(await one).written.created for one in both]) == [0, 1]
    assert (await replayed(engine, plan(day.here))).differences == 0


async def enough_wait_for_a_turn(database: DatabaseAddresses, backends: int) -> bool:
    statement = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return bool((await fetch(database.owner, statement))[0]["count"] >= backends)
