"""From when a schedule counts: from its own first try, so that an old promise that is redriven has its 76 hours too."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.followups.delivering.deliver import Desk, deliver
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.followups.oversight.redrive import started_anew
from lead_signals.followups.retry_schedule import LEAST_SPAN, MOST_ATTEMPTS
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.followups.delivering.at_the_desk import TRY_AGAIN, Answering, claim_one, desk_of
from tests.followups.promised import owe

LONG_AGO = timedelta(days=30)
REFUSED = replace(TRY_AGAIN, http_status=404, error_class="HTTP404")


async def test_the_first_try_that_is_settled_is_the_beginning_and_stays_it(alone: AsyncEngine) -> None:
    await owed_since_long_ago(alone)
    first_moment, desk = datetime(2026, 11, 1, 9, tzinfo=UTC), failing(alone)
    await fail(alone, desk, first_moment)
    assert await begun_at(alone) == first_moment
    await fail(alone, desk, first_moment + timedelta(hours=3))
    assert await begun_at(alone) == first_moment
    await make_due(alone)
    assert (await claim_one(alone)).begun_at == first_moment


async def test_one_that_is_given_back_has_not_begun(alone: AsyncEngine) -> None:
    await owed_since_long_ago(alone)
    desk = failing(alone)
    desk.turns.stop()
    await fail(alone, desk, clock.now())
    assert await begun_at(alone) is None


async def test_an_old_one_does_not_die_before_76_hours_after_its_first_try(alone: AsyncEngine) -> None:
    """However old the promise (its endpoint was paused, say) and however fast its tries follow each other (they are hurried)."""
    await owed_since_long_ago(alone)
    began, desk = clock.now(), failing(alone)
    states = {await fail(alone, desk, began + timedelta(minutes=number)) for number in range(MOST_ATTEMPTS + 3)}
    assert states == {FollowUpState.RETRYING}
    assert await fail(alone, desk, began + LEAST_SPAN - timedelta(seconds=1)) is FollowUpState.RETRYING
    assert await fail(alone, desk, began + LEAST_SPAN) is FollowUpState.DEAD


async def test_one_that_is_redriven_begins_anew_and_has_76_hours_again(alone: AsyncEngine) -> None:
    await owed_since_long_ago(alone)
    desk, first_moment = failing(alone), clock.now() - LONG_AGO
    states = [await fail(alone, desk, first_moment + number * LEAST_SPAN / (MOST_ATTEMPTS - 1)) for number in range(MOST_ATTEMPTS)]
    assert states == [FollowUpState.RETRYING] * (MOST_ATTEMPTS - 1) + [FollowUpState.DEAD]
    async with across_tenants_session(alone) as session:
        await session.execute(update(follow_ups).values(started_anew()))
    assert await begun_at(alone) is None
    again, desk = clock.now(), failing(alone)
    assert {await fail(alone, desk, again + timedelta(seconds=number)) for number in range(MOST_ATTEMPTS)} == {FollowUpState.RETRYING}
    assert await begun_at(alone) == again
    assert await fail(alone, desk, again + LEAST_SPAN) is FollowUpState.DEAD


async def owed_since_long_ago(engine: AsyncEngine) -> None:
    await owe(engine, 1)
    async with across_tenants_session(engine) as session:
        await session.execute(update(follow_ups).values(created_at=func.now() - LONG_AGO))


def failing(engine: AsyncEngine) -> Desk:
    """A desk whose gate stays open for nineteen of these."""
    return desk_of(engine, Answering(REFUSED))


async def fail(engine: AsyncEngine, desk: Desk, at: datetime) -> FollowUpState | None:
    """One try at that moment, of the only follow-up, which is due now whatever its schedule says."""
    await make_due(engine)
    return await deliver(replace(desk, now=lambda: at), await claim_one(engine))


async def make_due(engine: AsyncEngine) -> None:
    async with across_tenants_session(engine) as session:
        await session.execute(update(follow_ups).where(follow_ups.c.finished_at.is_(None)).values(due_at=func.now()))


async def begun_at(engine: AsyncEngine) -> datetime | None:
    async with across_tenants_session(engine) as session:
        found: datetime | None = (await session.execute(select(follow_ups.c.begun_at))).scalar_one()
        return found
