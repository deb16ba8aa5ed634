"""The lease on a real table of owed work: who may take a row, hold it, settle it; and what becomes of those who sleep or die."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.lease import Claim, claim_due, give_back, renew_all, settle
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import CRASH_LIMIT
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.followups.delivering.at_the_desk import claim as claim_to_send
from tests.followups.delivering.at_the_desk import deliver_to
from tests.followups.promised import owe

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "LEAD_SIGNALS_RUNBOOK.md"
DELIVERED = {"state": "delivered", "finished_at": func.now()}


@pytest.fixture
async def alone(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database in which nobody else owes anything."""
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=10)
    yield engine
    await engine.dispose()


async def test_a_claim_takes_the_oldest_due_rows_stamps_them_and_counts(alone: AsyncEngine) -> None:
    ids = await owe(alone, 3)
    claims = await claim(alone, limit=2)
    assert [claim.id for claim in sorted(claims, key=lambda claim: claim.id)] == ids[:2]
    assert {(claim.lease_token, claim.attempts, claim.state_before) for claim in claims} == {(1, 1, "pending")}
    assert await states(alone) == {ids[0]: "delivering", ids[1]: "delivering", ids[2]: "pending"}


async def test_what_is_claimed_is_not_claimed_again_while_its_lease_lasts(alone: AsyncEngine) -> None:
    await owe(alone, 2)
    assert len(await claim(alone)) == 2
    assert await claim(alone) == []


async def test_two_claimers_at_once_share_no_row_and_neither_waits(alone: AsyncEngine) -> None:
    """The first has taken its rows and not committed yet: the second must pass by them, not wait for them."""
    ids = await owe(alone, 6)
    async with across_tenants_session(alone) as first, across_tenants_session(alone) as second:
        taken_first = await claim_due(first, follow_ups, working_state="delivering", limit=4, lease_seconds=20)
        taken_second = await asyncio.wait_for(
            claim_due(second, follow_ups, working_state="delivering", limit=4, lease_seconds=20), timeout=10
        )
    assert (len(taken_first), len(taken_second)) == (4, 2)
    assert {claim.id for claim in taken_first} | {claim.id for claim in taken_second} == set(ids)


async def test_a_crowd_of_claimers_takes_every_row_once(alone: AsyncEngine) -> None:
    ids = await owe(alone, 40)
    together = asyncio.Barrier(8)

    async def claimer() -> list[Claim]:
        taken: list[Claim] = []
        async with alone.connect() as warm:
            await warm.execute(text("SELECT 1"))
        await together.wait()
        while some := await claim(alone, limit=3):
            taken += some
        return taken

    hands = await asyncio.gather(*(claimer() for _ in range(8)))
    taken = [claim for hand in hands for claim in hand]
    assert sorted(claim.id for claim in taken) == ids
    assert {claim.lease_token for claim in taken} == {1}


async def test_a_row_whose_worker_died_is_due_again_when_its_lease_ends(alone: AsyncEngine) -> None:
    (row,) = await owe(alone, 1)
    (died,) = await claim(alone, lease_seconds=-1)
    (rescued,) = await claim(alone)
    assert (rescued.id, rescued.lease_token, rescued.attempts, rescued.state_before) == (row, died.lease_token + 1, 2, "delivering")


async def test_a_stale_token_settles_nothing(alone: AsyncEngine) -> None:
    (row,) = await owe(alone, 1)
    (stale,) = await claim(alone, lease_seconds=-1)
    (holder,) = await claim(alone)
    before = await whole_row(alone, row)
    assert not await settle_it(alone, stale)
    assert await whole_row(alone, row) == before
    assert await settle_it(alone, holder)
    assert await states(alone) == {row: "delivered"}


async def test_what_is_finished_stays_finished(alone: AsyncEngine) -> None:
    (row,) = await owe(alone, 1)
    (holder,) = await claim(alone)
    assert await settle_it(alone, holder)
    finished = await whole_row(alone, row)
    async with across_tenants_session(alone) as session:
        assert not await settle(session, follow_ups, holder, {"state": "dead", "finished_at": func.now()})
        assert await renew_all(session, follow_ups, [holder], lease_seconds=20) == []
    assert await whole_row(alone, row) == finished
    assert await claim(alone) == []


async def test_renewing_holds_a_row_and_a_stale_token_cannot(alone: AsyncEngine) -> None:
    await owe(alone, 1)
    (first,) = await claim(alone, lease_seconds=-1)
    async with across_tenants_session(alone) as session:
        assert await renew_all(session, follow_ups, [first], lease_seconds=20) == []
    assert await claim(alone) == []  # without the renewal it would be due
    async with across_tenants_session(alone) as session:
        assert await renew_all(session, follow_ups, [first], lease_seconds=-1) == []
    (second,) = await claim(alone, lease_seconds=-1)
    async with across_tenants_session(alone) as session:
        assert await renew_all(session, follow_ups, [first], lease_seconds=20) == [first]
    assert [claim.lease_token for claim in await claim(alone)] == [second.lease_token + 1]


async def test_of_many_renewed_together_exactly_the_stolen_is_lost(alone: AsyncEngine) -> None:
    await owe(alone, 5)
    held = sorted(await claim(alone, lease_seconds=-1), key=lambda claim: claim.id)
    (stolen,) = await claim(alone, limit=1)
    assert await settle_it(alone, held[-1]), "settled by ourselves a moment ago: neither lost nor taken up again"
    async with across_tenants_session(alone) as session:
        lost = await renew_all(session, follow_ups, held, lease_seconds=20)
    assert [claim.id for claim in lost] == [stolen.id]
    assert await claim(alone) == [], "the others are held for longer"
    assert list((await states(alone)).values()).count("delivered") == 1


async def test_given_back_is_as_if_not_taken(alone: AsyncEngine) -> None:
    (row,) = await owe(alone, 1)
    untouched = await whole_row(alone, row)
    (begun,) = await claim(alone)
    async with across_tenants_session(alone) as session:
        assert await give_back(session, follow_ups, begun)
    assert await whole_row(alone, row) | {"lease_token": 0} == untouched | {"lease_token": 0}
    (again,) = await claim(alone)
    assert (again.attempts, again.lease_token) == (1, begun.lease_token + 1)
    assert not await settle_it(alone, begun)


async def test_a_rescued_row_can_be_given_back_too(alone: AsyncEngine) -> None:
    """It was in a dead worker's hands before: it goes back as that, due at once, with its crashes still counted."""
    (row,) = await owe(alone, 1)
    await claim(alone, lease_seconds=-1)
    (rescued,) = await claim(alone)
    async with across_tenants_session(alone) as session:
        assert await give_back(session, follow_ups, rescued)
    assert await states(alone) == {row: "delivering"}
    (again,) = await claim(alone)
    assert (again.id, again.attempts) == (row, 2)


async def test_a_row_that_kills_its_workers_dies_and_its_neighbour_is_delivered(alone: AsyncEngine) -> None:
    poison, neighbour = await owe(alone, 2)
    receiver = _Counting()
    for _ in range(CRASH_LIMIT):
        for taken in await claim_to_send(alone, lease_seconds=-1):
            if taken.id == neighbour:
                await deliver_to(alone, receiver, taken)
            # The poison row's worker is killed here: it settles nothing.
    assert await states(alone) == {poison: "delivering", neighbour: "delivered"}
    (last,) = await claim_to_send(alone)
    await deliver_to(alone, receiver, last)
    assert await states(alone) == {poison: "dead", neighbour: "delivered"}
    assert receiver.sent == 1
    assert await claim_to_send(alone) == []


async def test_crashes_count_in_a_row_and_an_attempt_written_down_ends_the_row(alone: AsyncEngine) -> None:
    (row,) = await owe(alone, 1)
    receiver = _Counting(fails=1)
    for _ in range(CRASH_LIMIT - 1):
        await claim_to_send(alone, lease_seconds=-1)
    (taken,) = await claim_to_send(alone)
    await deliver_to(alone, receiver, taken)
    assert await states(alone) == {row: "retrying"}
    for _ in range(CRASH_LIMIT - 1):
        await claim_to_send(alone, lease_seconds=-1)
    (taken,) = await claim_to_send(alone)
    await deliver_to(alone, receiver, taken)
    assert (await states(alone), receiver.sent) == ({row: "delivered"}, 2)


async def test_failures_that_were_settled_are_no_crashes(alone: AsyncEngine) -> None:
    """One worker dies, then the receiver fails, then answers: the death alone counts towards the limit."""
    (row,) = await owe(alone, 1)
    await claim_to_send(alone, lease_seconds=-1)
    receiver = _Counting(fails=1)
    for expected in ("retrying", "delivered"):
        (taken,) = await claim_to_send(alone)
        await deliver_to(alone, receiver, taken)
        assert await states(alone) == {row: expected}
    async with tenant_session(alone, taken.tenant_id) as session:
        attempts = await session.execute(select(delivery_attempts.c.attempt, delivery_attempts.c.outcome).order_by("attempt"))
        assert [tuple(attempt) for attempt in attempts] == [(2, "try_again"), (3, "delivered")]


class _Counting:
    """A destination that counts; its first `fails` sends fail."""

    def __init__(self, fails: int = 0) -> None:
        self.sent = 0
        self._fails = fails

    async def send(self, webhook_id: str, body: bytes, *, at: object) -> Outcome:
        self.sent += 1
        return Outcome(OutcomeKind.TRY_AGAIN if self.sent <= self._fails else OutcomeKind.DELIVERED)


async def claim(engine: AsyncEngine, *, limit: int = 100, lease_seconds: float = 20) -> list[Claim]:
    async with across_tenants_session(engine) as session:
        working = FollowUpState.DELIVERING.value
        return await claim_due(session, follow_ups, working_state=working, limit=limit, lease_seconds=lease_seconds)


async def settle_it(engine: AsyncEngine, claim: Claim) -> bool:
    async with tenant_session(engine, claim.tenant_id) as session:
        return await settle(session, follow_ups, claim, DELIVERED)


async def states(engine: AsyncEngine) -> dict[UUID, str]:
    async with across_tenants_session(engine) as session:
        rows = await session.execute(select(follow_ups.c.id, follow_ups.c.state))
        return {row.id: row.state for row in rows}


async def whole_row(engine: AsyncEngine, row: UUID) -> dict[str, object]:
    async with across_tenants_session(engine) as session:
        return dict((await session.execute(select(follow_ups).where(follow_ups.c.id == row))).one()._mapping)
