"""An endpoint is back: what waits for its next try there is due now, and nothing else is touched."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.engine import app_engine
from lead_signals.followups.delivering.deliver import Desk, deliver
from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.delivering.hurry_retries import PORTION, hurry_retries
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.follow_up import follow_ups
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.followups.delivering.at_the_desk import TRY_AGAIN, Answering, Everybody, claim, claim_one, desk_of
from tests.followups.promised import owe, owe_many

ELSEWHERE = UUID(int=7)
TOMORROW = func.now() + timedelta(days=1)


async def due_now(engine: AsyncEngine) -> set[UUID]:
    async with across_tenants_session(engine) as session:
        return set((await session.execute(select(follow_ups.c.id).where(follow_ups.c.due_at <= func.now()))).scalars())


async def put(engine: AsyncEngine, follow_up_id: UUID, **values: object) -> None:
    async with across_tenants_session(engine) as session:
        await session.execute(update(follow_ups).where(follow_ups.c.id == follow_up_id).values(**values))


async def test_what_waits_there_is_due_and_what_waits_elsewhere_is_not(alone: AsyncEngine) -> None:
    here, other_tenants, in_work, elsewhere = await owe(alone, 1), await owe(alone, 1), await owe(alone, 1), await owe(alone, 1)
    for (follow_up_id,) in (here, other_tenants, elsewhere):
        await put(alone, follow_up_id, state="retrying", failures=9, due_at=TOMORROW)
    await put(alone, in_work[0], state="delivering", due_at=TOMORROW, lease_until=func.now() + timedelta(seconds=20))
    await put(alone, elsewhere[0], endpoint_id=ELSEWHERE)
    assert await hurry_retries(alone, OPERATORS_ENDPOINT) == 2
    assert await due_now(alone) == {*here, *other_tenants}
    async with across_tenants_session(alone) as session:
        failures = (await session.execute(select(follow_ups.c.failures).where(follow_ups.c.id == here[0]))).scalar_one()
    assert failures == 9, "the tries go on counting"


async def test_more_than_a_portion_is_hurried_to_the_last(alone: AsyncEngine) -> None:
    ids = await owe_many(alone, PORTION + 5, due_ago=timedelta(days=-1), state="retrying")
    assert await hurry_retries(alone, OPERATORS_ENDPOINT) == len(ids) == PORTION + 5
    assert await due_now(alone) == set(ids)


async def test_a_delivery_after_a_shut_gate_hurries_the_others(alone: AsyncEngine) -> None:
    clock = [0.0]
    desk = _hurrying(alone, EndpointGates(monotonic=lambda: clock[0]), lambda: Answering(TRY_AGAIN))
    ids = await owe(alone, 5)
    for delivery in await claim(alone):
        await deliver(desk, delivery)
    for follow_up_id in ids[1:]:
        await put(alone, follow_up_id, state="retrying", due_at=TOMORROW)
    assert desk.turns.claimable(OPERATORS_ENDPOINT) == 0, "the gate is shut"
    clock[0] += 60
    back = Desk(Everybody(Answering()), desk.turns, desk.line, desk.now, hurry=desk.hurry)
    await deliver(back, await claim_one(alone))
    assert await due_now(alone) >= set(ids)


async def test_a_worker_that_has_just_begun_hurries_too_and_only_once(alone: AsyncEngine) -> None:
    desk = _hurrying(alone, EndpointGates(), Answering)
    waiting, *fresh = await owe(alone, 3)
    await put(alone, waiting, state="retrying", due_at=TOMORROW)
    first, second = await claim(alone)
    await deliver(desk, first)
    assert waiting in await due_now(alone)
    await put(alone, waiting, due_at=TOMORROW)
    await deliver(desk, second)
    assert waiting not in await due_now(alone), "nobody doubted the endpoint meanwhile"
    assert {first.id, second.id} == set(fresh)


async def test_a_database_that_is_away_leaves_them_to_their_schedule() -> None:
    engine = app_engine("postgresql://lead_signals_app@127.0.0.1:1/lead_signals", application_name="tests", pool_size=1)
    try:
        assert await hurry_retries(engine, OPERATORS_ENDPOINT) == 0
    finally:
        await engine.dispose()


def _hurrying(engine: AsyncEngine, gates: EndpointGates, answering: Callable[[], Answering]) -> Desk:
    desk = desk_of(engine, answering(), gates=gates)

    async def hurry(endpoint_id: UUID) -> int:
        return await hurry_retries(engine, endpoint_id)

    return Desk(desk.endpoints, desk.turns, desk.line, desk.now, hurry=hurry)
