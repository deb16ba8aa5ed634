"""The worker's loop over deliveries, on a real table with destinations of the test: everything once, nobody waits for somebody else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.due_work import ClaimWish, DueWork, run_due_work
from lead_signals.database.lease import Claim
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery
from lead_signals.followups.delivering.delivery_work import delivery_work
from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.outcome import Outcome
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.followups.delivering.at_the_desk import DELIVERED, GIVE_UP, TRY_AGAIN
from tests.followups.promised import owe_many
from tests.waiting import wait_until_async

N8N, SLOW, PAUSED = UUID(int=41), UUID(int=42), UUID(int=43)
HOUR = timedelta(hours=1)


class Receiver:
    """A destination that gives its answers in turn, the last for ever, each once `may_answer` is set."""

    def __init__(self, *answers: Outcome) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.ids: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self._answers = list(answers or (DELIVERED,))

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        self.ids[webhook_id] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.may_answer.wait()
        finally:
            self.at_once -= 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Known:
    """The endpoints of a test, some of them paused."""

    def __init__(self, destinations: dict[UUID, Destination]) -> None:
        self.destinations = destinations

    def destination(self, endpoint_id: UUID) -> Destination | None:
        return self.destinations.get(endpoint_id)

    async def pause(self, tenant_id: UUID, endpoint_id: UUID) -> None:
        self.destinations.pop(endpoint_id, None)


@dataclass(frozen=True, slots=True)
class Worker:
    """How a running loop is led."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def working(engine: AsyncEngine, known: Known, *, gates: EndpointGates | None = None) -> AsyncIterator[Worker]:
    """A worker inside the block; it has come to its end after it."""
    worker = Worker()
    work = delivery_work(engine, known, longest_attempt_seconds=10, gates=gates)
    running = asyncio.create_task(run_due_work(work, stop=worker.stop, wake=worker.wake))
    yield worker
    worker.stop.set()
    await asyncio.wait_for(running, 30)


async def count(engine: AsyncEngine, *states: str, endpoint_id: UUID = N8N) -> int:
    async with across_tenants_session(engine) as session:
        where = (follow_ups.c.state.in_(states), follow_ups.c.endpoint_id == endpoint_id)
        return int((await session.execute(select(func.count()).select_from(follow_ups).where(*where))).scalar_one())


async def until_delivered(engine: AsyncEngine, many: int, *, endpoint_id: UUID = N8N) -> None:
    async def are_delivered() -> bool:
        return await count(engine, "delivered", endpoint_id=endpoint_id) == many

    await wait_until_async(are_delivered, f"{many} are delivered")


async def test_two_workers_deliver_everything_once_and_not_too_much_at_a_time(alone: AsyncEngine) -> None:
    await owe_many(alone, 600, endpoint_id=N8N, due_ago=HOUR)
    receivers = [Receiver(), Receiver()]
    async with working(alone, Known({N8N: receivers[0]})), working(alone, Known({N8N: receivers[1]})):
        await until_delivered(alone, 600)
    arrived = receivers[0].ids + receivers[1].ids
    assert (len(arrived), max(arrived.values())) == (600, 1)
    assert all(receiver.most_at_once <= 20 for receiver in receivers)
    async with across_tenants_session(alone) as session:
        assert (await session.execute(select(func.max(follow_ups.c.attempts)))).scalar_one() == 1


async def test_a_receiver_that_hangs_keeps_nobody_else_waiting(alone: AsyncEngine) -> None:
    await owe_many(alone, 300, endpoint_id=SLOW, due_ago=HOUR)
    await owe_many(alone, 40, endpoint_id=N8N)
    slow, well = Receiver(), Receiver()
    slow.may_answer.clear()
    async with working(alone, Known({SLOW: slow, N8N: well})):
        await until_delivered(alone, 40)
        assert slow.at_once == 2
        slow.may_answer.set()


async def test_what_is_paused_is_not_claimed_and_goes_on_when_it_is_resumed(alone: AsyncEngine) -> None:
    await owe_many(alone, 3, endpoint_id=PAUSED)
    await owe_many(alone, 3, endpoint_id=N8N)
    known = Known({N8N: Receiver()})
    async with working(alone, known) as worker:
        await until_delivered(alone, 3)
        assert await count(alone, "pending", endpoint_id=PAUSED) == 3
        known.destinations[PAUSED] = Receiver()
        worker.wake.set()
        await until_delivered(alone, 3, endpoint_id=PAUSED)


async def test_a_shut_gate_claims_nothing(alone: AsyncEngine) -> None:
    await owe_many(alone, 3, endpoint_id=SLOW)
    await owe_many(alone, 3, endpoint_id=N8N)
    gates = EndpointGates()
    gates.begin(SLOW)
    gates.end(SLOW, GIVE_UP)
    shut = Receiver()
    async with working(alone, Known({SLOW: shut, N8N: Receiver()}), gates=gates):
        await until_delivered(alone, 3)
    async with across_tenants_session(alone) as session:
        untouched = await session.execute(select(follow_ups.c.state, follow_ups.c.lease_token).where(follow_ups.c.endpoint_id == SLOW))
        assert [tuple(row) for row in untouched] == [("pending", 0)] * 3
    assert not shut.ids


async def test_one_that_is_gone_is_told_once_and_the_rest_waits_unspent(alone: AsyncEngine) -> None:
    await owe_many(alone, 10, endpoint_id=N8N)
    gone = Receiver(GIVE_UP)
    known = Known({N8N: gone})
    async with working(alone, known):

        async def is_paused() -> bool:
            return not known.destinations and await count(alone, "delivering") == 0

        await wait_until_async(is_paused, "the endpoint is paused")
    assert 1 <= len(gone.ids) <= 2, "the first window"
    assert (await count(alone, "dead"), await count(alone, "pending")) == (len(gone.ids), 10 - len(gone.ids))


async def test_the_first_retry_comes_at_once_without_a_wake_up_or_a_poll(alone: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lead_signals.database.due_work.POLL_SECONDS", 300.0)
    await owe_many(alone, 1, endpoint_id=N8N)
    receiver = Receiver(TRY_AGAIN, DELIVERED)
    async with working(alone, Known({N8N: receiver})):
        await until_delivered(alone, 1)
    assert list(receiver.ids.values()) == [2]


async def test_told_to_stop_what_is_being_sent_is_settled_and_what_waits_for_its_turn_goes_back_at_once(alone: AsyncEngine) -> None:
    await owe_many(alone, 400, endpoint_id=N8N, due_ago=HOUR)
    receiver = Receiver()
    receiver.may_answer.clear()
    gates = EndpointGates(most_at_once=20)
    for _ in range(30):
        gates.begin(N8N)
        gates.end(N8N, DELIVERED)
    async with working(alone, Known({N8N: receiver}), gates=gates) as worker:

        async def all_hang() -> bool:
            return receiver.at_once == 20 and await count(alone, "delivering") == 40

        await wait_until_async(all_hang, "twenty are being sent, and as many claimed ahead")
        worker.stop.set()

        async def who_waited_is_back() -> bool:
            return await count(alone, "delivering") == 20

        await wait_until_async(who_waited_is_back, "who waited for a turn is given back, while the others still hang")
        receiver.may_answer.set()
    assert (await count(alone, "delivered"), len(receiver.ids), receiver.most_at_once) == (20, 20, 20)
    async with across_tenants_session(alone) as session:
        untouched = await session.execute(select(func.count()).where(follow_ups.c.state == "pending", follow_ups.c.attempts == 0))
        assert untouched.scalar_one() == 380


async def test_ten_receivers_that_hang_leave_hands_to_everybody_else(alone: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds forty rows, twenty before its gate. A lead elsewhere is claimed by the claim it is asked for in, and no timeout later."""
    monkeypatch.setattr("lead_signals.followups.delivering.delivery_work.HANDS", 400)
    monkeypatch.setattr("lead_signals.followups.delivering.delivery_work.RESERVE", 200)
    hanging = [UUID(int=number) for number in range(51, 61)]
    slow = Receiver()
    slow.may_answer.clear()
    gates = EndpointGates()
    for endpoint_id in hanging:
        await owe_many(alone, 60, endpoint_id=endpoint_id, due_ago=HOUR)
        for _ in range(30):
            gates.begin(endpoint_id)
            gates.end(endpoint_id, DELIVERED)
    work = delivery_work(alone, Known({N8N: Receiver(), **dict.fromkeys(hanging, slow)}), longest_attempt_seconds=10, gates=gates)
    taken: list[asyncio.Task[object]] = []

    async def claim_once() -> Counter[UUID]:
        claims = await work.claim(ClaimWish(work.concurrency - len(taken), 20, rescue=True, anew=True)) if work.claim else []
        taken.extend(asyncio.create_task(_do(work, claim)) for claim in claims)
        await asyncio.sleep(0)
        return Counter(claim.endpoint_id for claim in claims if isinstance(claim, ClaimedDelivery))

    rounds = [await claim_once() for _ in range(3)]
    assert sum(rounds, Counter[UUID]()).total() == 10 * 2 + 200, "the first two of each, and all that is no reserve"
    assert not rounds[-1], "nothing of the reserve is for them"
    await owe_many(alone, 60, endpoint_id=N8N)
    assert (await claim_once())[N8N] == 2
    slow.may_answer.set()
    await asyncio.gather(*taken)
    taken.clear()
    assert (await claim_once()).total() > 200, "what was in hand is free again"
    await asyncio.gather(*taken)


async def _do(work: DueWork, claim: Claim) -> object:
    return await work.do_one(claim)


async def test_who_lost_a_lease_while_it_waited_is_called_off_and_its_neighbours_go_on(alone: AsyncEngine) -> None:
    (stolen, kept) = await owe_many(alone, 2, endpoint_id=N8N)
    receiver = Receiver()
    receiver.may_answer.clear()
    known = Known({N8N: receiver})
    work = delivery_work(alone, known, longest_attempt_seconds=10, lease_seconds=0.6)
    worker = Worker()
    running = asyncio.create_task(run_due_work(work, stop=worker.stop, wake=worker.wake))

    async def both_hang() -> bool:
        return receiver.at_once == 2

    async def one_is_called_off() -> bool:
        return receiver.at_once == 1

    await wait_until_async(both_hang, "both are being sent")
    async with across_tenants_session(alone) as session:  # what another worker's claim writes
        held = {"lease_token": 99, "lease_until": func.now() + timedelta(hours=1)}
        await session.execute(update(follow_ups).where(follow_ups.c.id == stolen).values(held))
    await wait_until_async(one_is_called_off, "the job of the stolen row is ended")
    receiver.may_answer.set()
    await until_delivered(alone, 1)
    worker.stop.set()
    await asyncio.wait_for(running, 30)
    async with across_tenants_session(alone) as session:
        rows = await session.execute(select(follow_ups.c.id, follow_ups.c.state))
        assert {row.id: row.state for row in rows} == {stolen: "delivering", kept: "delivered"}
