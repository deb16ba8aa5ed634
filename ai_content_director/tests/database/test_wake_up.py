"""NOTIFY wakes who listens, through everything that can happen to the listening connection. No polling stands behind these tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.wake_up import announce_due_work, listen_for_due_work
from tests.waiting import wait_until_async

WORK = "follow_ups"
DEADLINE_SECONDS = 20.0
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lead-signals listen' AND datname = current_database()"


@pytest.fixture
async def alone(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
async def superuser(fresh_database: DatabaseAddresses) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn=fresh_database.owner)
    yield connection
    await connection.close()


async def test_a_notice_wakes_its_own_kind_of_work_at_commit(fresh_database: DatabaseAddresses, alone: AsyncEngine) -> None:
    wakes = {WORK: asyncio.Event(), "other": asyncio.Event()}
    async with listening(fresh_database, wakes):
        async with alone.begin() as connection:
            await announce_due_work(connection, WORK)
            await announce_due_work(connection, "a kind nobody here does")
            assert not wakes[WORK].is_set()
        await woken(wakes[WORK])
        assert not wakes["other"].is_set()


@pytest.mark.parametrize("ssl", ["sslmode=disable", "sslmode=prefer", "ssl=disable", "prepared_statement_cache_size=0"])
async def test_an_address_the_engine_understands_is_understood_for_listening_too(ssl: str, fresh_database: DatabaseAddresses) -> None:
    database = DatabaseAddresses(owner=fresh_database.owner, app=f"{fresh_database.app}&{ssl}")
    engine = app_engine(database.app, application_name="tests", pool_size=1)
    wakes = {WORK: asyncio.Event()}
    async with listening(database, wakes):
        async with engine.begin() as connection:
            await announce_due_work(connection, WORK)
        await woken(wakes[WORK])
    await engine.dispose()


async def test_a_rolled_back_promise_wakes_nobody(fresh_database: DatabaseAddresses, alone: AsyncEngine) -> None:
    wakes = {WORK: asyncio.Event(), "marker": asyncio.Event()}
    async with listening(fresh_database, wakes):
        async with alone.connect() as connection:
            await announce_due_work(connection, WORK)
            await connection.rollback()
        async with alone.begin() as connection:
            await announce_due_work(connection, "marker")
        await woken(wakes["marker"])  # notices come in the order of their commits: the first one would be here by now
        assert not wakes[WORK].is_set()


async def test_a_killed_listener_comes_back_wakes_everybody_once_and_hears_again(
    fresh_database: DatabaseAddresses, alone: AsyncEngine, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    wakes = {WORK: asyncio.Event(), "other": asyncio.Event()}
    async with listening(fresh_database, wakes):
        for _ in range(3):
            assert await superuser.fetch(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS listener")
            for event in wakes.values():  # something may have been missed meanwhile
                await woken(event)
                event.clear()
            async with alone.begin() as connection:
                await announce_due_work(connection, WORK)
            await woken(wakes[WORK])
            wakes[WORK].clear()


async def test_listening_ends_when_told_even_while_the_database_is_away() -> None:
    stop = asyncio.Event()
    listener = asyncio.create_task(listen_for_due_work("postgresql://nobody@127.0.0.1:1/nowhere", {WORK: asyncio.Event()}, stop=stop))
    done, _ = await asyncio.wait({listener}, timeout=0.2)
    assert not done
    stop.set()
    await asyncio.wait_for(listener, DEADLINE_SECONDS)


async def test_a_listener_leaves_no_connection_behind(
    fresh_database: DatabaseAddresses, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async with listening(fresh_database, {WORK: asyncio.Event()}):
        assert len(await superuser.fetch(LISTENERS)) == 1

    async def none_left() -> bool:
        return not await superuser.fetch(LISTENERS)

    await wait_until_async(none_left, "the listener's backend is gone")


@asynccontextmanager
async def listening(database: DatabaseAddresses, wakes: dict[str, asyncio.Event]) -> AsyncIterator[None]:
    """Somebody listens inside the block. What was set by beginning to listen is cleared."""
    stop = asyncio.Event()
    listener = asyncio.create_task(listen_for_due_work(database.app, wakes, stop=stop))
    for event in wakes.values():
        await woken(event)
    for event in wakes.values():
        event.clear()
    yield
    stop.set()
    await asyncio.wait_for(listener, DEADLINE_SECONDS)


async def woken(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), DEADLINE_SECONDS)
