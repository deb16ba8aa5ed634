"""The worker's loop on a real table: how much at once, how a lease is held and lost, how it stops, what a crash leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import DateTime, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.due_work import DueWork, OpenConnection, run_due_work
from lead_signals.database.engine import app_engine
from lead_signals.database.lease import Claim, settle
from lead_signals.followups.follow_up import follow_ups
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.followups.promised import owe
from tests.waiting import wait_until_async

DEADLINE_SECONDS = 30.0


@pytest.fixture
async def alone(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database in which nobody else owes anything."""
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=10)
    yield engine
    await engine.dispose()


class Hands:
    """Work that the test watches: each job waits for `let_go`, then settles its row as delivered."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.let_go = asyncio.Event()
        self.begun: list[Claim] = []
        self.settled: list[UUID] = []
        self.cancelled: list[UUID] = []
        self._engine = engine
        self._changed = asyncio.Condition()

    async def do_one(self, claim: Claim) -> None:
        await self._note(self.begun, claim)
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            await self._note(self.cancelled, claim.id)
            raise
        async with tenant_session(self._engine, claim.tenant_id) as session:
            assert await settle(session, follow_ups, claim, {"state": "delivered", "finished_at": func.now()})
        await self._note(self.settled, claim.id)

    async def _note(self, where: list[Any], what: object) -> None:
        async with self._changed:
            where.append(what)
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(condition)


async def test_no_more_at_once_than_there_are_hands_and_in_the_end_everything(alone: AsyncEngine) -> None:
    ids = await owe(alone, 7)
    hands = Hands(alone)
    async with working(alone, hands.do_one, concurrency=3):
        await hands.until(lambda: len(hands.begun) == 3)
        assert len(await in_state(alone, "delivering")) == 3
        hands.let_go.set()
        await hands.until(lambda: len(hands.settled) == 7)
    assert sorted(hands.settled) == ids
    assert [claim.attempts for claim in hands.begun] == [1] * 7


async def test_a_wake_up_cuts_the_rest_short(alone: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lead_signals.database.due_work.POLL_SECONDS", DEADLINE_SECONDS * 2)
    hands, door = Hands(alone), CountingDoor(alone)
    hands.let_go.set()
    async with working(alone, hands.do_one, across_tenants=door.open) as loop:
        await door.used(1)
        await owe(alone, 1)
        loop.wake.set()
        await hands.until(lambda: len(hands.settled) == 1)


async def test_a_lost_wake_up_costs_a_poll_and_no_more(alone: AsyncEngine) -> None:
    hands, door = Hands(alone), CountingDoor(alone)
    hands.let_go.set()
    async with working(alone, hands.do_one, across_tenants=door.open):
        await door.used(1)
        await owe(alone, 1)
        await hands.until(lambda: len(hands.settled) == 1)


async def test_a_job_longer_than_its_lease_stays_with_who_began_it(alone: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lead_signals.database.due_work.RESCUE_PAUSE_SECONDS", 0.0)  # nothing but the renewals protects it
    await owe(alone, 1)
    hands, others = Hands(alone), Hands(alone)
    async with working(alone, hands.do_one, lease_seconds=0.9):
        await hands.until(lambda: len(hands.begun) == 1)
        first_end = await lease_end(alone)
        door = CountingDoor(alone)
        async with working(alone, others.do_one, across_tenants=door.open, lease_seconds=0.9):
            await wait_until_async(partial(is_past, alone, first_end), "the first lease would have ended, by the database's clock")
            await door.used(door.uses + 2)  # the others have looked since
            hands.let_go.set()
            await hands.until(lambda: len(hands.settled) == 1)
    assert others.begun == []


async def test_who_lost_the_lease_stops_working(alone: AsyncEngine) -> None:
    (row,) = await owe(alone, 1)
    hands = Hands(alone)
    async with working(alone, hands.do_one, lease_seconds=0.6):
        await hands.until(lambda: len(hands.begun) == 1)
        async with across_tenants_session(alone) as session:  # what another worker's claim writes
            await session.execute(update(follow_ups).values(lease_token=99, lease_until=func.now() + timedelta(hours=1)))
        await hands.until(lambda: hands.cancelled == [row])
    assert hands.settled == []


async def test_a_crash_leaves_the_row_to_the_rescue_and_the_others_go_on(alone: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lead_signals.database.due_work.RESCUE_PAUSE_SECONDS", 0.0)
    poison, *others = await owe(alone, 3)
    hands = Hands(alone)
    hands.let_go.set()
    crashes = 0

    async def do_one(claim: Claim) -> None:
        nonlocal crashes
        if claim.id == poison and (crashes := crashes + 1) < 3:
            raise ZeroDivisionError
        await hands.do_one(claim)

    async with working(alone, do_one, lease_seconds=0.5):
        await hands.until(lambda: len(hands.settled) == 3)
    assert hands.settled[-1] == poison
    assert sorted(hands.settled) == [poison, *others]
    assert [claim.attempts for claim in hands.begun if claim.id == poison] == [3]


async def test_told_to_stop_it_finishes_what_runs_and_claims_nothing_more(alone: AsyncEngine) -> None:
    first = await owe(alone, 2)
    hands = Hands(alone)
    async with working(alone, hands.do_one) as loop:
        await hands.until(lambda: len(hands.begun) == 2)
        loop.stop.set()
        later = await owe(alone, 2)
        loop.wake.set()
        hands.let_go.set()
    assert sorted(hands.settled) == first
    assert await in_state(alone, "pending") == later


async def test_the_work_is_told_of_the_end_at_once_even_while_a_claim_waits(alone: AsyncEngine) -> None:
    hands, loop, told, may_claim, is_claiming = Hands(alone), Loop(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[AsyncConnection]:
        is_claiming.set()
        await may_claim.wait()
        async with across_tenants_session(alone) as session:
            yield session

    async with working(alone, hands.do_one, across_tenants=slow, loop=loop, on_stop=told.set):
        await asyncio.wait_for(is_claiming.wait(), DEADLINE_SECONDS)
        assert not told.is_set()
        loop.stop.set()
        await asyncio.wait_for(told.wait(), DEADLINE_SECONDS)
        may_claim.set()


async def test_told_to_stop_while_claiming_it_gives_back_what_it_has_not_begun(alone: AsyncEngine) -> None:
    ids = await owe(alone, 3)
    hands, loop = Hands(alone), Loop()

    @asynccontextmanager
    async def claiming_as_the_end_comes() -> AsyncIterator[AsyncConnection]:
        async with across_tenants_session(alone) as session:
            yield session
        loop.stop.set()

    async with working(alone, hands.do_one, across_tenants=claiming_as_the_end_comes, loop=loop):
        await asyncio.wait_for(loop.stop.wait(), DEADLINE_SECONDS)
    assert hands.begun == []
    assert await in_state(alone, "pending", attempts=0) == ids


async def test_the_loop_survives_a_database_that_is_away(alone: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lead_signals.database.due_work.AWAY_PAUSE_SECONDS", 0.01)
    ids = await owe(alone, 1)
    hands = Hands(alone)
    hands.let_go.set()
    refusals = 0

    @asynccontextmanager
    async def away_at_first() -> AsyncIterator[AsyncConnection]:
        nonlocal refusals
        if (refusals := refusals + 1) <= 3:
            raise ConnectionRefusedError
        async with across_tenants_session(alone) as session:
            yield session

    async with working(alone, hands.do_one, across_tenants=away_at_first):
        await hands.until(lambda: hands.settled == ids)


async def test_after_an_outage_longer_than_the_lease_who_held_a_row_keeps_it(alone: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could renew, so everything in work looks abandoned: the holder must get to it before the rescue does."""
    monkeypatch.setattr("lead_signals.database.due_work.AWAY_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr("lead_signals.database.rows_in_hand.RENEW_RETRY_SECONDS", 0.4)  # slower than the others' asking
    await owe(alone, 1)
    hands, others, door, their_door = Hands(alone), Hands(alone), CountingDoor(alone), CountingDoor(alone)
    async with working(alone, hands.do_one, across_tenants=door.open, lease_seconds=1.0):
        await hands.until(lambda: len(hands.begun) == 1)
        async with working(alone, others.do_one, across_tenants=their_door.open, lease_seconds=1.0):
            await their_door.used(1)
            for each in (door, their_door):
                each.closed.set()
            await wait_until_async(partial(is_past, alone, await lease_end(alone)), "the lease has ended while the database was away")
            for each in (door, their_door):
                each.closed.clear()
            await their_door.used(their_door.uses + 3)
            hands.let_go.set()
            await hands.until(lambda: len(hands.settled) == 1)
    assert others.begun == []


async def test_a_job_that_cannot_end_does_not_keep_the_worker_for_ever(alone: AsyncEngine) -> None:
    """The database never came back, say: the row is left as it is, to be rescued by the next worker."""
    ids = await owe(alone, 1)
    hands = Hands(alone)
    async with working(alone, hands.do_one, drain_seconds=0.3):
        await hands.until(lambda: len(hands.begun) == 1)
    await hands.until(lambda: hands.cancelled == ids)
    assert await in_state(alone, "delivering", attempts=1) == ids


class CountingDoor:
    """Opens sessions across tenants unless it is `closed`, and tells how many have ended."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.uses = 0
        self.closed = asyncio.Event()
        self._engine = engine
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncConnection]:
        if self.closed.is_set():
            raise ConnectionRefusedError
        async with across_tenants_session(self._engine) as session:
            yield session
        async with self._changed:
            self.uses += 1
            self._changed.notify_all()

    async def used(self, times: int) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.uses >= times)


@dataclass(frozen=True, slots=True)
class Loop:
    """The two strings by which a loop is led."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def working(
    engine: AsyncEngine,
    do_one: Callable[[Claim], Awaitable[None]],
    *,
    across_tenants: OpenConnection | None = None,
    concurrency: int = 5,
    lease_seconds: float = 20.0,
    drain_seconds: float = 20.0,
    loop: Loop | None = None,
    on_stop: Callable[[], None] = lambda: None,
) -> AsyncIterator[Loop]:
    """The loop runs inside the block, and must have come to its end after it."""
    loop = loop or Loop()
    work = DueWork(
        name="follow_ups",
        table=follow_ups,
        working_state="delivering",
        do_one=do_one,
        across_tenants=across_tenants or partial(across_tenants_session, engine),
        concurrency=concurrency,
        lease_seconds=lease_seconds,
        drain_seconds=drain_seconds,
        on_stop=on_stop,
    )
    running = asyncio.create_task(run_due_work(work, stop=loop.stop, wake=loop.wake))
    yield loop
    loop.stop.set()
    await asyncio.wait_for(running, DEADLINE_SECONDS)


async def in_state(engine: AsyncEngine, state: str, **columns: object) -> list[UUID]:
    async with across_tenants_session(engine) as session:
        where = [follow_ups.c.state == state, *(follow_ups.c[name] == value for name, value in columns.items())]
        return list((await session.execute(select(follow_ups.c.id).where(*where).order_by(follow_ups.c.id))).scalars())


async def lease_end(engine: AsyncEngine) -> datetime:
    async with across_tenants_session(engine) as session:
        end: datetime = (await session.execute(select(follow_ups.c.lease_until))).scalar_one()
        return end


async def is_past(engine: AsyncEngine, moment: datetime) -> bool:
    async with engine.connect() as connection:
        return bool((await connection.execute(select(func.now() > literal(moment, DateTime(timezone=True))))).scalar_one())
