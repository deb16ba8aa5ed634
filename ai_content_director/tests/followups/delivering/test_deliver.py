"""Keeping one promise while connections break: a promise is sent once, written down once, and a lost connection is no crash."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery
from lead_signals.followups.delivering.deliver import deliver
from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.outcome import Outcome
from lead_signals.tenancy.tenant_session import tenant_session
from tests.followups.delivering.at_the_desk import GIVE_UP, TRY_AGAIN, Answering, Everybody, claim_one, deliver_to, desk_of
from tests.followups.promised import owe


@pytest.fixture
async def alone(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database in which nobody else owes anything."""
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=2)
    yield engine
    await engine.dispose()


class Cut:
    """Ends every connection of the engine under test, as a restart or a failover does."""

    def __init__(self, superuser: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._superuser = superuser

    async def __call__(self) -> None:
        ended = await self._superuser.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tests'"
        )
        assert ended, "there was nothing to cut"


@pytest.fixture
async def cut(fresh_database: DatabaseAddresses) -> AsyncIterator[Cut]:
    connection = await asyncpg.connect(dsn=fresh_database.owner)
    yield Cut(connection)
    await connection.close()


async def test_connections_cut_before_the_sending_cost_no_attempt(alone: AsyncEngine, cut: Cut) -> None:
    delivery = await owed_and_claimed(alone)
    await cut()
    receiver = Answering()
    await deliver_to(alone, receiver, delivery)
    assert len(receiver.ids) == 1
    assert await outcome(alone, delivery) == ("delivered", 1, 1)


async def test_connections_cut_during_the_sending_forget_nothing(alone: AsyncEngine, cut: Cut) -> None:
    delivery = await owed_and_claimed(alone)
    receiver = Answering(meanwhile=cut)
    await deliver_to(alone, receiver, delivery)
    assert len(receiver.ids) == 1
    assert await outcome(alone, delivery) == ("delivered", 1, 1)


async def test_what_another_has_claimed_meanwhile_is_recorded_and_counts_for_nothing(alone: AsyncEngine) -> None:
    delivery = await owed_and_claimed(alone, lease_seconds=-1)
    await claim_one(alone)
    assert await deliver_to(alone, Answering(), delivery) is None
    assert await outcome(alone, delivery) == ("delivering", 2, 1)


@pytest.mark.parametrize("given", [TRY_AGAIN, GIVE_UP], ids=["may come back", "is gone"])
async def test_only_an_endpoint_that_is_gone_is_paused(alone: AsyncEngine, given: Outcome) -> None:
    delivery = await owed_and_claimed(alone)
    desk = desk_of(alone, Answering(given))
    await deliver(desk, delivery)
    assert isinstance(desk.endpoints, Everybody)
    assert desk.endpoints.paused == ([OPERATORS_ENDPOINT] if given is GIVE_UP else [])
    assert await outcome(alone, delivery) == ("dead" if given is GIVE_UP else "retrying", 1, 1)


async def test_one_that_was_claimed_before_its_endpoint_was_paused_goes_back_as_it_was(alone: AsyncEngine) -> None:
    delivery = await owed_and_claimed(alone)
    receiver = Answering()
    desk = desk_of(alone, receiver)
    await desk.endpoints.pause(delivery.tenant_id, delivery.endpoint_id)
    assert await deliver(desk, delivery) == "pending"
    assert receiver.ids == []
    assert await outcome(alone, delivery) == ("pending", 0, 0)


async def test_one_that_was_claimed_before_its_gate_shut_goes_back_as_it_was(alone: AsyncEngine) -> None:
    gates = EndpointGates()
    gates.begin(OPERATORS_ENDPOINT)
    gates.end(OPERATORS_ENDPOINT, GIVE_UP)
    delivery = await owed_and_claimed(alone)
    receiver = Answering()
    assert await deliver(desk_of(alone, receiver, gates=gates), delivery) == "pending"
    assert receiver.ids == []
    assert await outcome(alone, delivery) == ("pending", 0, 0)


async def test_what_the_receiver_asks_for_is_waited(alone: AsyncEngine) -> None:
    delivery = await owed_and_claimed(alone)
    await deliver_to(alone, Answering(replace(TRY_AGAIN, retry_after=timedelta(minutes=20))), delivery)
    async with tenant_session(alone, delivery.tenant_id) as session:
        wait: timedelta = (await session.execute(select(follow_ups.c.due_at - func.now()))).scalar_one()
    assert timedelta(minutes=19) < wait < timedelta(minutes=23)


async def test_no_transaction_is_open_while_the_call_runs(alone: AsyncEngine) -> None:
    seen: list[int] = []

    async def look() -> None:
        async with alone.connect() as connection:
            others = "pid <> pg_backend_pid() AND application_name = 'tests' AND datname = current_database() AND xact_start IS NOT NULL"
            seen.append((await connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))).scalar_one())

    await deliver_to(alone, Answering(meanwhile=look), await owed_and_claimed(alone))
    assert seen == [0]


async def test_a_second_writing_of_the_same_attempt_changes_nothing(alone: AsyncEngine) -> None:
    """As when the answer to a commit was lost: the outcome of the same claim is written again over what is there already."""
    delivery = await owed_and_claimed(alone)
    receiver = Answering()
    await deliver_to(alone, receiver, delivery)
    async with tenant_session(alone, delivery.tenant_id) as session:
        before = (await session.execute(select(follow_ups))).one()
    await deliver_to(alone, receiver, delivery)
    async with tenant_session(alone, delivery.tenant_id) as session:
        assert (await session.execute(select(follow_ups))).one() == before
    assert await outcome(alone, delivery) == ("delivered", 1, 1)


async def owed_and_claimed(engine: AsyncEngine, *, lease_seconds: float = 20) -> ClaimedDelivery:
    await owe(engine, 1)
    return await claim_one(engine, lease_seconds=lease_seconds)


async def outcome(engine: AsyncEngine, delivery: ClaimedDelivery) -> tuple[str, int, int]:
    """The follow-up's state, how often it was claimed, and how many attempts were written down."""
    async with tenant_session(engine, delivery.tenant_id) as session:
        row = (await session.execute(select(follow_ups.c.state, follow_ups.c.attempts))).one()
        written = (await session.execute(select(func.count()).select_from(delivery_attempts))).scalar_one()
    return row.state, row.attempts, written
