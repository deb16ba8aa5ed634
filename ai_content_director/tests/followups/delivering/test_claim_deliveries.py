"""Claiming endpoint by endpoint: nobody waits, nothing twice, a lead of this minute before a backlog, one endpoint beside a crowded one."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.delivering.claim_deliveries import PASSED_BY, Share, claim_deliveries
from lead_signals.followups.delivering.index_walks import walk_indexes
from lead_signals.followups.delivering.owed_endpoints import OwedEndpoints
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.retry_schedule import CRASH_LIMIT
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, across_tenants_session
from tests.followups.delivering.at_the_desk import claim
from tests.followups.promised import owe, owe_many

CROWDED, QUIET, LATER = UUID(int=11), UUID(int=12), UUID(int=13)
HOUR = timedelta(hours=1)


async def test_a_claim_carries_all_that_sending_needs(alone: AsyncEngine) -> None:
    (row,) = await owe(alone, 1)
    (delivery,) = await claim(alone)
    async with across_tenants_session(alone) as session:
        owed = (await session.execute(select(follow_ups))).one()
    assert (delivery.id, delivery.tenant_id, delivery.body, delivery.endpoint_id) == (row, owed.tenant_id, owed.body, OPERATORS_ENDPOINT)
    assert (delivery.lease_token, delivery.attempts, delivery.state_before, delivery.failures) == (1, 1, "pending", 0)
    assert (delivery.cancel_asked, delivery.begun_at, delivery.last_recorded) == (False, None, None)
    assert owed.state == "delivering"


async def test_two_workers_at_once_share_no_row_and_neither_waits(alone: AsyncEngine) -> None:
    """The first has taken its rows and not committed yet: the second passes by them, in both lanes."""
    ids = await owe(alone, 12)
    shares = [Share(OPERATORS_ENDPOINT, 8, 4)]
    async with across_tenants_session(alone) as first, across_tenants_session(alone) as second:
        taken_first = await claim_deliveries(first, shares, lease_seconds=20)
        taken_second = await asyncio.wait_for(claim_deliveries(second, shares, lease_seconds=20), timeout=10)
    assert (len(taken_first), len(taken_second)) == (8, 4)
    assert sorted(delivery.id for delivery in (*taken_first, *taken_second)) == ids


async def test_a_crowd_of_claimers_takes_every_row_once(alone: AsyncEngine) -> None:
    ids = await owe_many(alone, 300)
    together = asyncio.Barrier(6)

    async def claimer() -> list[UUID]:
        taken: list[UUID] = []
        async with alone.connect() as warm:
            await warm.execute(text("SELECT 1"))
        await together.wait()
        while some := await claim(alone, most=7, fresh=3):
            taken += [delivery.id for delivery in some]
        return taken

    hands = await asyncio.gather(*(claimer() for _ in range(6)))
    assert sorted(id_ for hand in hands for id_ in hand) == sorted(ids)


async def test_a_lead_of_this_minute_does_not_wait_behind_the_backlog_and_the_backlog_moves(alone: AsyncEngine) -> None:
    backlog = await owe_many(alone, 500, due_ago=HOUR)
    retries = await owe_many(alone, 5, due_ago=timedelta(seconds=5), state="retrying")
    fresh = await owe_many(alone, 3, due_ago=timedelta(seconds=2))
    first = {delivery.id for delivery in await claim(alone, most=4, fresh=2)}
    assert first == {*fresh[1:], *backlog[:2]}, "the newest of the fresh, the oldest of the rest"
    second = {delivery.id for delivery in await claim(alone, most=4, fresh=2)}
    assert second == {fresh[0], *backlog[2:5]}, "what the fresh lane does not use the oldest get"
    assert not first & set(retries), "a failure that is due again has been tried before: it is not fresh"


async def test_where_all_are_fresh_a_whole_share_is_claimed(alone: AsyncEngine) -> None:
    await owe_many(alone, 10)
    assert [len(await claim(alone, most=6, fresh=3)) for _ in range(3)] == [6, 4, 0]


async def test_a_share_is_of_one_endpoint(alone: AsyncEngine) -> None:
    await owe_many(alone, 5, endpoint_id=CROWDED)
    await owe_many(alone, 5, endpoint_id=QUIET)
    assert {delivery.endpoint_id for delivery in await claim(alone, endpoint_id=QUIET, fresh=2)} == {QUIET}
    assert await claim(alone, endpoint_id=LATER) == []


async def test_one_that_is_owed_little_comes_in_the_first_claim_beside_one_that_is_owed_thousands(alone: AsyncEngine) -> None:
    await owe_many(alone, 5_000, endpoint_id=CROWDED, due_ago=HOUR)
    (single,) = await owe_many(alone, 1, endpoint_id=QUIET)
    await owe_many(alone, 50, endpoint_id=LATER, due_ago=-HOUR, state="retrying")
    owed = OwedEndpoints()
    async with across_tenants_session(alone) as session:
        await walk_indexes(session)
        await owed.look(session)
        shares = owed.share_out(20, lambda _: 20)
        claimed = await claim_deliveries(session, shares, lease_seconds=20)
    assert {share.endpoint_id for share in shares} == {CROWDED, QUIET}, "nothing is due at the third"
    assert single in {delivery.id for delivery in claimed}
    assert len(claimed) == 11


async def test_a_dead_workers_row_is_rescued_unless_that_is_put_off(alone: AsyncEngine) -> None:
    ids = await owe(alone, 2)
    died = await claim(alone, most=1, lease_seconds=-1)
    (other,) = await claim(alone, rescue=False)
    assert other.id == ids[1]
    (rescued,) = await claim(alone)
    assert (rescued.id, rescued.attempts, rescued.lease_token, rescued.state_before) == (died[0].id, 2, 2, "delivering")


async def test_the_attempts_written_down_are_told_only_where_crashes_may_be_too_many(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    told = [(await claim(alone, lease_seconds=-1))[0].last_recorded for _ in range(CRASH_LIMIT + 1)]
    assert told == [None] * CRASH_LIMIT + [0]


async def test_retries_that_are_not_due_yet_are_not_read(alone: AsyncEngine) -> None:
    """After an outage they are many: a claim that finds nothing due must not walk along all of them."""
    await owe_many(alone, 3_000, due_ago=-HOUR, state="retrying")
    async with across_tenants_session(alone) as session:
        await walk_indexes(session)
        before = await _rows_read(session)
        assert await claim_deliveries(session, [Share(OPERATORS_ENDPOINT, 20, 10)], lease_seconds=20) == []
        assert 0 < await _rows_read(session) - before <= PASSED_BY + 20


async def _rows_read(session: AcrossTenantsSession) -> int:
    """How many rows of follow_ups this transaction has read, by index or not."""
    counts = text(
        "SELECT pg_stat_get_xact_tuples_fetched(i) + pg_stat_get_xact_tuples_returned(t) FROM"
        " (SELECT CAST('follow_ups' AS regclass) AS t, CAST('ix_follow_ups_due' AS regclass) AS i) s"
    )
    return int((await session.execute(counts)).scalar_one())
