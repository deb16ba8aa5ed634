"""Settling together: one transaction for many, each under its own token; no outcome is forgotten for the sake of a neighbour."""

import asyncio
from dataclasses import replace

import asyncpg
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery
from lead_signals.followups.delivering.settle_line import SettleLine
from lead_signals.followups.delivering.settlement import Attempt, Settlement, after_attempt, given_back
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.followups.outcome import Outcome
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.followups.delivering.at_the_desk import DELIVERED, GIVE_UP, TRY_AGAIN, claim
from tests.followups.promised import owe
from tests.waiting import wait_until_async


def ended(delivery: ClaimedDelivery, outcome: Outcome = DELIVERED) -> Settlement:
    return after_attempt(delivery, Attempt(clock.now(), 12, outcome))


async def settle_all(engine: AsyncEngine, *settlements: Settlement) -> list[FollowUpState | BaseException | None]:
    """All of them ask the line at the same moment."""
    line = SettleLine(engine)
    return list(await asyncio.gather(*(line.settle(settlement) for settlement in settlements), return_exceptions=True))


async def states(engine: AsyncEngine) -> list[str]:
    async with across_tenants_session(engine) as session:
        return list((await session.execute(select(follow_ups.c.state).order_by(follow_ups.c.id))).scalars())


async def attempts(engine: AsyncEngine) -> list[tuple[object, ...]]:
    told = delivery_attempts.c
    async with across_tenants_session(engine) as session:
        rows = await session.execute(select(told.attempt, told.outcome, told.http_status, told.duration_ms).order_by(told.follow_up_id))
        return [tuple(row) for row in rows]


async def test_attempts_of_several_tenants_are_settled_in_one_transaction(alone: AsyncEngine) -> None:
    for _ in range(3):
        await owe(alone, 5)
    claimed = await claim(alone)
    assert await settle_all(alone, *(ended(delivery) for delivery in claimed)) == ["delivered"] * 15
    assert await attempts(alone) == [(1, "delivered", 200, 12)] * 15
    async with across_tenants_session(alone) as session:
        transactions = await session.scalar(text("SELECT count(DISTINCT xmin::text) FROM follow_ups"))
        finished = await session.scalar(
            select(func.count()).where(follow_ups.c.finished_at.is_not(None), follow_ups.c.lease_until.is_(None))
        )
    assert (transactions, finished) == (1, 15)


async def test_each_outcome_is_written_as_it_is(alone: AsyncEngine) -> None:
    await owe(alone, 4)
    well, failed, gone, unbegun = await claim(alone)
    settled = await settle_all(alone, ended(well), ended(failed, TRY_AGAIN), ended(gone, GIVE_UP), given_back(unbegun))
    assert settled == ["delivered", "retrying", "dead", "pending"]
    assert [attempt[1] for attempt in await attempts(alone)] == ["delivered", "try_again", "give_up"]
    async with across_tenants_session(alone) as session:
        rows = (
            await session.execute(select(follow_ups.c.failures, follow_ups.c.attempts, follow_ups.c.lease_until).order_by(follow_ups.c.id))
        ).all()
    assert [tuple(row) for row in rows] == [(0, 1, None), (1, 1, None), (1, 1, None), (0, 0, None)]


async def test_a_row_of_a_lost_lease_is_fenced_and_its_neighbours_settle(alone: AsyncEngine) -> None:
    ids = await owe(alone, 3)
    claimed = await claim(alone, lease_seconds=-1)
    (thief,) = await claim(alone, most=1)
    stolen = claimed[[delivery.id for delivery in claimed].index(thief.id)]
    before = await whole_row(alone, stolen)
    settled = await settle_all(alone, *(ended(delivery) for delivery in claimed))
    assert dict(zip(ids, settled, strict=True)) == {id_: None if id_ == thief.id else "delivered" for id_ in ids}
    assert await whole_row(alone, stolen) == before
    assert len(await attempts(alone)) == 3, "the fenced attempt was made, and is on record"
    assert await settle_all(alone, ended(thief)) == ["delivered"]


async def test_what_was_taken_back_meanwhile_is_decided_row_by_row(alone: AsyncEngine) -> None:
    await owe(alone, 4)
    claimed = await claim(alone)
    async with across_tenants_session(alone) as session:
        await session.execute(update(follow_ups).where(follow_ups.c.id.in_([one.id for one in claimed[:3]])).values(cancel_asked=True))
    outcomes = (DELIVERED, TRY_AGAIN, GIVE_UP, TRY_AGAIN)
    settled = await settle_all(alone, *(ended(delivery, outcome) for delivery, outcome in zip(claimed, outcomes, strict=True)))
    assert settled == await states(alone) == ["delivered", "cancelled", "cancelled", "retrying"]


async def test_one_that_postgresql_refuses_takes_nobody_with_it(alone: AsyncEngine) -> None:
    await owe(alone, 4)
    claimed = await claim(alone)
    poison = replace(TRY_AGAIN, error_class="no\x00text")
    settled = await settle_all(alone, ended(claimed[0]), ended(claimed[1], poison), ended(claimed[2], TRY_AGAIN), ended(claimed[3]))
    assert isinstance(settled[1], DBAPIError)
    assert [settled[0], *settled[2:]] == ["delivered", "retrying", "delivered"]
    assert await states(alone) == ["delivered", "delivering", "retrying", "delivered"]
    assert len(await attempts(alone)) == 3


async def test_a_follow_up_that_is_gone_with_its_lead_takes_nobody_with_it(alone: AsyncEngine, fresh_database: DatabaseAddresses) -> None:
    await owe(alone, 2)
    gone, there = await claim(alone)
    owner = await asyncpg.connect(dsn=fresh_database.owner)
    await owner.execute("DELETE FROM follow_ups WHERE id = $1", gone.id)
    await owner.close()
    settled = await settle_all(alone, ended(gone), ended(there))
    assert isinstance(settled[0], DBAPIError)
    assert settled[1] == "delivered"


async def test_what_nobody_waits_for_any_more_is_written_all_the_same(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    (delivery,) = await claim(alone)
    waiter = asyncio.create_task(SettleLine(alone).settle(ended(delivery)))
    await asyncio.sleep(0)  # it stands in the line
    waiter.cancel()

    async def is_written() -> bool:
        return await states(alone) == ["delivered"]

    await wait_until_async(is_written, "the outcome is written although its job was ended")
    assert waiter.cancelled()


async def whole_row(engine: AsyncEngine, delivery: ClaimedDelivery) -> dict[str, object]:
    async with across_tenants_session(engine) as session:
        return dict((await session.execute(select(follow_ups).where(follow_ups.c.id == delivery.id))).one()._mapping)
