"""Look-ups in the worker's own loop: many at once, woken by the promise, and picked up after a death."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.due_work import run_due_work
from lead_signals.database.wake_up import listen_for_due_work
from lead_signals.enrichment.look_up_work import LOOK_UPS_AT_ONCE, look_up_work
from lead_signals.enrichment.waiting_look_ups import waiting_look_ups
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.enrichment.house import ANSWERS, LEADGEN_ID, NAME, PSID, House, form, message
from tests.graph_api.graph_answers import ill, says
from tests.receiver import Exchange
from tests.waiting import wait_until_async


@asynccontextmanager
async def worker(house: House, *, lease_seconds: float = 20.0) -> AsyncIterator[asyncio.Event]:
    """A worker that does look-ups and nothing else, until the block ends. Gives what wakes it."""
    stop, wake = asyncio.Event(), asyncio.Event()
    work = look_up_work(house.engine, house.graph, house.settings, lease_seconds=lease_seconds)
    running = asyncio.create_task(run_due_work(work, stop=stop, wake=wake))
    try:
        yield wake
    finally:
        stop.set()
        await running


async def test_forms_and_names_are_found_few_at_once(house: House) -> None:
    await house.connect()
    counted, crowd = threading.Condition(), {"now": 0, "most": 0}

    def answer(exchange: Exchange) -> None:
        with counted:
            crowd["now"] += 1
            crowd["most"] = max(crowd["most"], crowd["now"])
            counted.notify_all()
            counted.wait_for(lambda: crowd["most"] >= LOOK_UPS_AT_ONCE, 20)
            crowd["now"] -= 1
        says({"id": PSID, "name": NAME})(exchange)

    house.world.answers["profile"] = answer
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form(), *(message(f"m_{number}", author_id=f"55500000000{number:05}") for number in range(40)))
    async with worker(house):
        await wait_until_async(lambda: all_found(house), "everything was found")
    assert (await house.lead(LEADGEN_ID)).author_name == NAME
    assert (await house.lead("m_39")).author_name == NAME
    assert crowd["most"] == LOOK_UPS_AT_ONCE


async def test_the_promise_wakes_the_worker(house: House, quiet_database: DatabaseAddresses) -> None:
    stop, wake = asyncio.Event(), asyncio.Event()
    listening = asyncio.create_task(listen_for_due_work(quiet_database.app, {"look_ups": wake}, stop=stop))
    await asyncio.wait_for(wake.wait(), 20)  # set once as soon as it listens
    wake.clear()
    await house.receive(form())
    await asyncio.wait_for(wake.wait(), 20)
    wake.clear()
    await house.connect()
    await asyncio.wait_for(wake.wait(), 20)
    stop.set()
    await listening


async def test_a_dead_workers_form_is_done_by_the_next_and_once(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    asked = threading.Event()

    def die_asking(exchange: Exchange) -> None:
        asked.set()
        exchange.reset()

    house.world.answers["lead_form"] = [die_asking, says(house.world.leads[LEADGEN_ID])]
    await house.receive(form())
    await house.claim(lease_seconds=0.1)  # and then nothing is heard of that worker again
    async with worker(house):
        await asyncio.to_thread(asked.wait, 20)
        await wait_until_async(lambda: is_pending(house), "the first try was written down")
        await house.let_time_pass(days=0.01)
        await wait_until_async(lambda: all_found(house), "the form was found")
    assert (len(await house.follow_ups()), len(await house.completions())) == (1, 1)


async def test_the_operator_sees_what_waits_and_why(house: House) -> None:
    await house.receive(form(), form("4440000000000022"), form("4440000000000023"))
    first, second, _ = await house.claims()
    await house.look_up(first)
    await house.look_up(second)
    await house.connect(page_id="700000000000009")
    house.world.answers["profile"] = ill()
    await house.receive(message("m_1", channel_external_id="700000000000009"))
    (name,) = await house.claims()
    await house.look_up(name)
    async with across_tenants_session(house.engine) as session:
        waiting = await waiting_look_ups(session)
    assert {(each.kind, each.last_failure): each.count for each in waiting} == {
        ("lead_form", "no_token"): 2,
        ("lead_form", None): 1,
        ("sender_name", "retry"): 1,
    }
    assert all(each.oldest_at.tzinfo is not None for each in waiting)


async def all_found(house: House) -> bool:
    async with across_tenants_session(house.engine) as session:
        return await waiting_look_ups(session) == []


async def is_pending(house: House) -> bool:
    row = await house.row()
    return (row.state, row.failures) == ("pending", 1)
