"""Rounds that nobody owes: one worker at a time, through failures and outages, and a stop that does not wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.every_so_often import run_every
from tests.product import free_port
from tests.waiting import wait_until_async

DEADLINE_SECONDS = 30.0
SELDOM = 3600.0


class Rounds:
    """What a test sees of a worker's rounds; each waits for `let_go`."""

    def __init__(self) -> None:
        self.begun = 0
        self.finished = 0
        self.cut_off = 0
        self.let_go = asyncio.Event()
        self._changed = asyncio.Condition()

    async def do(self) -> None:
        await self._note("begun")
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            await self._note("cut_off")
            raise
        await self._note("finished")

    async def _note(self, what: str) -> None:
        async with self._changed:
            setattr(self, what, getattr(self, what) + 1)
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(condition)


@asynccontextmanager
async def worker(engine: AsyncEngine, name: str, do: Callable[[], Awaitable[object]], every_seconds: float) -> AsyncIterator[asyncio.Event]:
    """The loop for as long as the block runs; yields its stop. It must end promptly."""
    stop = asyncio.Event()
    loop = asyncio.create_task(run_every(engine, name, do, every_seconds=every_seconds, stop=stop))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(loop, DEADLINE_SECONDS)


async def locks(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        held: int = (await connection.execute(text(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {here}"))).scalar_one()
    return held


@pytest.fixture
def name() -> str:
    """Of rounds no other test does."""
    return uuid4().hex


async def test_the_first_round_is_at_once_and_more_follow(engine: AsyncEngine, name: str) -> None:
    rounds = Rounds()
    rounds.let_go.set()
    async with worker(engine, name, rounds.do, 0.01):
        await rounds.until(lambda: rounds.finished >= 3)


async def test_after_a_round_it_rests_until_its_time_or_the_end(engine: AsyncEngine, name: str) -> None:
    rounds = Rounds()
    rounds.let_go.set()
    async with worker(engine, name, rounds.do, SELDOM):
        await rounds.until(lambda: rounds.finished == 1)
    assert rounds.begun == 1


async def test_two_workers_never_do_the_same_round_at_once(engine: AsyncEngine, name: str, database: DatabaseAddresses) -> None:
    first, second = Rounds(), Rounds()
    another_machine = app_engine(database.app, application_name="tests", pool_size=2)
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    event.listen(another_machine.sync_engine, "after_cursor_execute", count)
    async with worker(engine, name, first.do, 0.01):
        await first.until(lambda: first.begun == 1)
        async with worker(another_machine, name, second.do, 0.01):
            await wait_until_async(lambda: is_so(asked >= 5), "the second has asked for the round five times")
            assert second.begun == 0, "both at once"
            first.let_go.set()
            second.let_go.set()
            await second.until(lambda: second.finished >= 1)
    await another_machine.dispose()


async def is_so(seen: bool) -> bool:
    return seen


async def test_rounds_of_another_name_do_not_wait(engine: AsyncEngine, name: str) -> None:
    first, second = Rounds(), Rounds()
    async with worker(engine, name, first.do, SELDOM), worker(engine, f"{name} too", second.do, SELDOM):
        await first.until(lambda: first.begun == 1)
        await second.until(lambda: second.begun == 1)


async def test_a_stop_cuts_off_what_runs_and_leaves_no_lock(engine: AsyncEngine, name: str) -> None:
    rounds = Rounds()
    async with worker(engine, name, rounds.do, SELDOM):
        await rounds.until(lambda: rounds.begun == 1)
    assert (rounds.cut_off, rounds.finished) == (1, 0)
    again = Rounds()
    again.let_go.set()
    async with worker(engine, name, again.do, SELDOM):
        await again.until(lambda: again.finished == 1)


async def test_a_failing_round_is_no_end(engine: AsyncEngine, name: str) -> None:
    rounds = Rounds()
    rounds.let_go.set()
    failures = 0

    async def do() -> None:
        nonlocal failures
        if (failures := failures + 1) <= 2:
            raise ZeroDivisionError
        await rounds.do()

    async with worker(engine, name, do, 0.01):
        await rounds.until(lambda: rounds.finished >= 1)
    assert failures >= 3


async def test_a_database_that_is_away_is_waited_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lead_signals.database.every_so_often.AWAY_PAUSE_SECONDS", 0.01)
    nobody = app_engine(f"postgresql://nobody@127.0.0.1:{free_port()}/x", application_name="tests", pool_size=1)
    rounds = Rounds()
    async with worker(nobody, name, rounds.do, SELDOM) as stop:
        await asyncio.sleep(0)
        assert not stop.is_set()
    assert rounds.begun == 0
    await nobody.dispose()


async def test_connections_cut_in_a_round_neither_end_it_all_nor_keep_the_lock(
    fresh_database: DatabaseAddresses, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lead_signals.database.every_so_often.AWAY_PAUSE_SECONDS", 0.01)
    engine = app_engine(fresh_database.app, application_name="cut", pool_size=2)
    rounds = Rounds()
    async with worker(engine, name, rounds.do, SELDOM):
        await rounds.until(lambda: rounds.begun == 1)
        superuser = await asyncpg.connect(dsn=fresh_database.owner)
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cut'"
        assert await superuser.fetch(cut)
        await superuser.close()
        rounds.let_go.set()
        await rounds.until(lambda: rounds.finished >= 2)
        await wait_until_async(lambda: _unlocked(engine), "the lock is free")
    await engine.dispose()


async def _unlocked(engine: AsyncEngine) -> bool:
    return await locks(engine) == 0


async def test_no_transaction_is_open_beside_a_round(fresh_database: DatabaseAddresses, name: str) -> None:
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=2)
    rounds = Rounds()
    async with worker(engine, name, rounds.do, SELDOM):
        await rounds.until(lambda: rounds.begun == 1)
        async with engine.connect() as connection:
            others = "pid <> pg_backend_pid() AND application_name = 'tests' AND datname = current_database() AND xact_start IS NOT NULL"
            seen = (await connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))).scalar_one()
        assert (seen, await locks(engine)) == (0, 1)
    await engine.dispose()
