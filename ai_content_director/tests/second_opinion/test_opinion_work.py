"""Opinions in the worker's own loop: few at once, once under two workers, rescued after a death, and a sick server left alone."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lead_signals.database.due_work import run_due_work
from lead_signals.language_model.circuit_breaker import FAILURES_TO_OPEN, OPEN_SECONDS
from lead_signals.second_opinion.opinion_work import OPINIONS_AT_ONCE, opinion_work
from tests.language_model.model_server import held, opines, refuses
from tests.receiver import Exchange
from tests.second_opinion.asking_house import UNCLEAR, AskingHouse, unclear
from tests.waiting import wait_until_async


@asynccontextmanager
async def worker(house: AskingHouse, *, lease_seconds: float = 20.0) -> AsyncIterator[None]:
    """A worker that gives opinions and does nothing else, until the block ends."""
    stop, wake = asyncio.Event(), asyncio.Event()
    work = opinion_work(house.engine, house.model, house.settings, lease_seconds=lease_seconds, giver=house.another_giver())
    running = asyncio.create_task(run_due_work(work, stop=stop, wake=wake))
    try:
        yield
    finally:
        stop.set()
        await running


async def all_answered(house: AskingHouse) -> bool:
    return all(row.state == "answered" for row in await house.requests())


async def test_two_workers_ask_once_and_few_at_once(house: AskingHouse) -> None:
    counted, crowd = threading.Condition(), {"now": 0, "most": 0}

    def answer(exchange: Exchange) -> None:
        with counted:
            crowd["now"] += 1
            crowd["most"] = max(crowd["most"], crowd["now"])
            counted.notify_all()
            counted.wait_for(lambda: crowd["most"] >= 2 * OPINIONS_AT_ONCE, 20)
            crowd["now"] -= 1
        opines("complaint", 0.8)(exchange)

    house.server.answer = answer
    await house.receive(*(unclear(f"m_{number}", f"{UNCLEAR} {number}", author_id=f"u_{number}") for number in range(24)))
    async with worker(house), worker(house):
        await wait_until_async(lambda: all_answered(house), "every lead was asked about")
    assert len(house.server.questions) == 24
    assert crowd["most"] == 2 * OPINIONS_AT_ONCE
    assert (len(await house.follow_ups()), len(await house.events())) == (24, 24)
    assert await house.calls() == [(24, 24 * 410, 24 * 17)]


async def test_a_dead_workers_request_is_rescued_and_answered_once(house: AskingHouse) -> None:
    house.server.answer = opines("complaint", 0.8)
    await house.say()
    await house.claim(lease_seconds=0.1)  # and then nothing is heard of that worker again
    async with worker(house):
        await wait_until_async(lambda: all_answered(house), "the rescued request was answered")
    assert (len(await house.follow_ups()), len(await house.events())) == (1, 1)


async def test_who_lost_the_lease_while_asking_changes_nothing(house: AskingHouse) -> None:
    gate = threading.Event()
    house.server.answer = [held(gate, opines("complaint", 0.8)), opines("inquiry", 0.75)]
    await house.say()
    slow = await house.claim(lease_seconds=-1)
    sleeping = asyncio.create_task(house.another_giver().give_opinion(slow))
    await asyncio.to_thread(house.server.wait_for, 1)
    assert (await house.give()).intent_label == "inquiry"
    gate.set()
    await sleeping
    row = await house.request()
    assert (row.intent_label, (await house.lead()).intent_label) == ("inquiry", "inquiry")
    assert (len(await house.follow_ups()), len(await house.events())) == (0, 1)
    assert await house.calls() == [(2, 820, 34)]  # both were paid for


async def test_who_lost_the_lease_writes_nothing_while_the_next_still_asks(house: AskingHouse) -> None:
    gate = threading.Event()
    house.server.answer = held(gate, opines("complaint", 0.8))
    before = await house.say()
    slow = await house.claim(lease_seconds=-1)
    sleeping = asyncio.create_task(house.give(slow))
    await asyncio.to_thread(house.server.wait_for, 1)
    await house.claim()
    gate.set()
    row = await sleeping
    assert (row.state, row.lease_token) == ("asking", slow.lease_token + 1)
    assert await house.lead() == before
    assert (await house.follow_ups(), await house.events()) == ([], [])


async def test_a_second_writing_of_the_same_answer_changes_nothing(house: AskingHouse) -> None:
    """As when the answer to a commit was lost."""
    house.server.answer = opines("complaint", 0.8)
    await house.say()
    claim = await house.claim()
    before = await house.give(claim)
    await house.giver.give_opinion(claim)
    assert (await house.request()).finished_at == before.finished_at
    assert len(house.server.questions) == 1
    assert len(await house.events()) == 1


async def test_a_sick_server_is_left_alone_and_then_tried_with_one(house: AskingHouse) -> None:
    house.server.answer = refuses(503)
    waiting = 12
    await house.receive(*(unclear(f"m_{number}", f"{UNCLEAR} {number}") for number in range(waiting)))
    for claim in await house.claims():
        await house.giver.give_opinion(claim)
    assert len(house.server.questions) == FAILURES_TO_OPEN
    put_off = [row for row in await house.requests() if row.last_failure == "model_away"]
    assert len(put_off) == waiting - FAILURES_TO_OPEN
    assert {(row.state, row.failures, row.attempts) for row in put_off} == {("pending", 0, 0)}
    assert all(OPEN_SECONDS - 5 < row.in_seconds <= 2 * OPEN_SECONDS for row in put_off)
    assert (await house.calls())[0][0] == FAILURES_TO_OPEN  # what was put off cost nothing

    house.clock.now += OPEN_SECONDS
    gate = threading.Event()
    house.server.answer = held(gate, opines("complaint", 0.8))
    await house.let_time_pass(hours=1)
    first, second, *rest = await house.claims()
    trying = asyncio.create_task(house.giver.give_opinion(first))
    await asyncio.to_thread(house.server.wait_for, FAILURES_TO_OPEN + 1)
    await house.giver.give_opinion(second)
    assert (await house.request(second.id)).last_failure == "model_away"
    gate.set()
    await trying
    for claim in rest:
        await house.giver.give_opinion(claim)
    assert {(await house.request(claim.id)).state for claim in (first, *rest)} == {"answered"}


async def test_a_server_that_never_comes_back_is_not_waited_for_for_ever(house: AskingHouse) -> None:
    house.server.answer = refuses(503)
    await house.receive(*(unclear(f"m_{number}", f"{UNCLEAR} {number}") for number in range(FAILURES_TO_OPEN + 1)))
    *claims, last = await house.claims()
    for claim in claims:
        await house.giver.give_opinion(claim)
    await house.let_time_pass(hours=49)
    row = await house.give(last)
    assert (row.state, row.last_failure, row.failures) == ("given_up", "model_away", 0)


async def test_strange_answers_to_some_do_not_silence_it_for_others(house: AskingHouse) -> None:
    house.server.answer = refuses(400, message="content filter")
    await house.receive(*(unclear(f"m_{number}", f"{UNCLEAR} {number}") for number in range(8)))
    for claim in await house.claims():
        await house.giver.give_opinion(claim)
    assert len(house.server.questions) == 8
