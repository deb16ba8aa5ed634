"""Follow-ups of leads that were taken back: what waits is cancelled at once; what is being delivered is decided by that attempt."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.lease import give_back
from lead_signals.followups.cancel_follow_ups import CancelledFollowUp, cancel_follow_ups
from lead_signals.followups.delivering.deliver import deliver
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.outcome import Outcome
from lead_signals.followups.retry_schedule import CRASH_LIMIT, LEAST_SPAN, MOST_ATTEMPTS
from lead_signals.tenancy.tenant_session import TenantSession, across_tenants_session, tenant_session
from tests.followups.delivering.at_the_desk import DELIVERED, GIVE_UP, TRY_AGAIN, Answering, claim, claim_one, deliver_to, desk_of
from tests.followups.promised import owe
from tests.leads.lock_waits import wait_until_somebody_waits_for


@pytest.fixture
async def alone(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database in which nobody else owes anything."""
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=4)
    yield engine
    await engine.dispose()


async def cancel(engine: AsyncEngine, tenant_id: UUID) -> list[CancelledFollowUp]:
    """Take back every lead of the tenant."""
    async with tenant_session(engine, tenant_id) as session:
        return await cancel_all(session, tenant_id)


async def cancel_all(session: TenantSession, tenant_id: UUID) -> list[CancelledFollowUp]:
    lead_ids = (await session.execute(select(follow_ups.c.lead_id))).scalars().all()
    assert lead_ids
    return await cancel_follow_ups(session, tenant_id, lead_ids)


async def states(engine: AsyncEngine, tenant_id: UUID) -> list[tuple[str, bool, bool]]:
    """(state, whether it is finished, whether it is leased) of each."""
    async with tenant_session(engine, tenant_id) as session:
        rows = await session.execute(select(follow_ups).order_by(follow_ups.c.id))
        return [(row.state, row.finished_at is not None, row.lease_until is not None) for row in rows]


async def attempts(engine: AsyncEngine, tenant_id: UUID) -> int:
    async with tenant_session(engine, tenant_id) as session:
        return int((await session.execute(select(func.count()).select_from(delivery_attempts))).scalar_one())


async def lead_of(session: TenantSession, follow_up_id: UUID) -> UUID:
    lead_id: UUID = (await session.execute(select(follow_ups.c.lead_id).where(follow_ups.c.id == follow_up_id))).scalar_one()
    return lead_id


CANCELLED = ("cancelled", True, False)


async def test_what_waits_is_cancelled_and_never_claimed(alone: AsyncEngine) -> None:
    await owe(alone, 2)
    taken = await claim_one(alone)
    await deliver_to(alone, Answering(TRY_AGAIN), taken)
    assert {state for state, *_ in await states(alone, taken.tenant_id)} == {"pending", "retrying"}
    cancelled = await cancel(alone, taken.tenant_id)
    assert [follow_up.while_delivering for follow_up in cancelled] == [False, False]
    assert {follow_up.id for follow_up in cancelled} >= {taken.id}
    assert await states(alone, taken.tenant_id) == [CANCELLED, CANCELLED]
    assert await claim(alone) == []
    assert await cancel(alone, taken.tenant_id) == [], "once"


async def test_what_is_delivered_stays_so(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    taken = await claim_one(alone)
    await deliver_to(alone, Answering(DELIVERED), taken)
    assert await cancel(alone, taken.tenant_id) == []
    assert await states(alone, taken.tenant_id) == [("delivered", True, False)]


async def test_what_is_dead_is_cancelled_too_so_that_nobody_sends_it_again(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    taken = await claim_one(alone)
    await deliver_to(alone, Answering(GIVE_UP), taken)
    assert [follow_up.while_delivering for follow_up in await cancel(alone, taken.tenant_id)] == [False]
    assert await states(alone, taken.tenant_id) == [CANCELLED]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(DELIVERED, "delivered"), (TRY_AGAIN, "cancelled"), (GIVE_UP, "cancelled")],
    ids=["delivered", "failed", "refused"],
)
async def test_the_attempt_that_runs_decides(alone: AsyncEngine, outcome: Outcome, state: str) -> None:
    await owe(alone, 1)
    taken = await claim_one(alone)
    asked: list[CancelledFollowUp] = []

    async def take_back() -> None:
        asked.extend(await cancel(alone, taken.tenant_id))
        assert await states(alone, taken.tenant_id) == [("delivering", False, True)]

    await deliver_to(alone, Answering(outcome, take_back), taken)
    assert [(follow_up.id, follow_up.while_delivering) for follow_up in asked] == [(taken.id, True)]
    assert await states(alone, taken.tenant_id) == [(state, True, False)]
    assert await attempts(alone, taken.tenant_id) == 1


async def test_the_last_try_that_fails_ends_cancelled_too(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    taken = replace(await claim_one(alone), failures=MOST_ATTEMPTS - 1, begun_at=clock.now() - LEAST_SPAN)
    await deliver_to(alone, Answering(TRY_AGAIN, lambda: cancel(alone, taken.tenant_id)), taken)
    assert await states(alone, taken.tenant_id) == [CANCELLED]


async def test_taken_back_between_the_claim_and_the_call_is_decided_by_that_attempt(alone: AsyncEngine) -> None:
    """The claim has read all that sending needs, so nothing is read again before the call."""
    await owe(alone, 2)
    for answer, state in ((TRY_AGAIN, "cancelled"), (DELIVERED, "delivered")):
        taken = await claim_one(alone)
        async with tenant_session(alone, taken.tenant_id) as session:
            await cancel_follow_ups(session, taken.tenant_id, [await lead_of(session, taken.id)])
        assert await deliver_to(alone, Answering(answer), taken) == state
    assert await attempts(alone, taken.tenant_id) == 2


async def test_taken_back_while_it_waited_for_its_turn_is_not_sent_when_its_turn_does_not_come(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    taken = await claim_one(alone)
    await cancel(alone, taken.tenant_id)
    receiver = Answering(DELIVERED)
    desk = desk_of(alone, receiver)
    await desk.endpoints.pause(taken.tenant_id, taken.endpoint_id)
    assert await deliver(desk, taken) == "cancelled"
    assert receiver.ids == []
    assert await states(alone, taken.tenant_id) == [CANCELLED]
    assert await attempts(alone, taken.tenant_id) == 0


async def test_taken_back_and_then_given_back_is_not_sent(alone: AsyncEngine) -> None:
    """Its worker was told to stop before it began; the next one to claim it ends it."""
    await owe(alone, 1)
    taken = await claim_one(alone)
    await cancel(alone, taken.tenant_id)
    async with across_tenants_session(alone) as session:
        assert await give_back(session, follow_ups, taken)
    receiver = Answering(DELIVERED)
    await deliver_to(alone, receiver, await claim_one(alone))
    assert receiver.ids == []
    assert await states(alone, taken.tenant_id) == [CANCELLED]


async def test_taken_back_while_its_worker_died_is_not_sent_again(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    dead_claim = await claim_one(alone, lease_seconds=-1)
    await cancel(alone, dead_claim.tenant_id)
    receiver = Answering(DELIVERED)
    await deliver_to(alone, receiver, await claim_one(alone))
    assert receiver.ids == []
    assert await states(alone, dead_claim.tenant_id) == [CANCELLED]


@pytest.mark.parametrize("is_taken_back", [False, True])
async def test_one_that_crashes_its_workers_is_dead_and_when_taken_back_cancelled(alone: AsyncEngine, is_taken_back: bool) -> None:
    await owe(alone, 1)
    for _ in range(CRASH_LIMIT):
        await claim_one(alone, lease_seconds=-1)
    taken = await claim_one(alone)
    if is_taken_back:
        await cancel(alone, taken.tenant_id)
    await deliver_to(alone, Answering(DELIVERED), taken)
    assert await states(alone, taken.tenant_id) == [CANCELLED if is_taken_back else ("dead", True, False)]


async def test_a_settling_that_waits_for_the_cancellation_sees_it(alone: AsyncEngine, fresh_database: DatabaseAddresses) -> None:
    """The row is decided by what stands in it when the settling UPDATE gets it, not by what was read before."""
    await owe(alone, 1)
    taken = await claim_one(alone)
    called, answer = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        called.set()
        await answer.wait()

    delivering = asyncio.create_task(deliver_to(alone, Answering(TRY_AGAIN, hold), taken))
    await called.wait()
    async with tenant_session(alone, taken.tenant_id) as cancelling:
        assert [one.while_delivering for one in await cancel_all(cancelling, taken.tenant_id)] == [True]
        answer.set()
        await wait_until_somebody_waits_for(cancelling, fresh_database.owner)
    await delivering
    assert await states(alone, taken.tenant_id) == [CANCELLED]


async def test_a_cancellation_that_waits_for_the_settling_sees_it(alone: AsyncEngine, fresh_database: DatabaseAddresses) -> None:
    await owe(alone, 1)
    taken = await claim_one(alone)
    async with tenant_session(alone, taken.tenant_id) as settling:
        await settling.execute(
            update(follow_ups).where(follow_ups.c.id == taken.id).values(state="retrying", lease_until=None, due_at=text("now()"))
        )
        cancelling = asyncio.create_task(cancel(alone, taken.tenant_id))
        await wait_until_somebody_waits_for(settling, fresh_database.owner)
    (cancelled,) = await cancelling
    assert not cancelled.while_delivering
    assert await states(alone, taken.tenant_id) == [CANCELLED]
