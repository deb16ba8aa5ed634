"""One look-up, one worker: who lost the lease writes nothing, who died leaves it to the next, and somebody is called once."""

import asyncio
import threading

from sqlalchemy import text

from lead_signals.enrichment.look_up import CRASH_LIMIT
from tests.enrichment.house import ANSWERS, LEADGEN_ID, NAME, House, form
from tests.graph_api.graph_answers import ill, says
from tests.receiver import Exchange


async def test_who_lost_the_lease_while_asking_changes_nothing(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    asked, go_on = threading.Event(), threading.Event()

    def answer_late(exchange: Exchange) -> None:
        asked.set()
        go_on.wait(20)
        says({"id": LEADGEN_ID, "field_data": [{"name": "full_name", "values": ["Too late"]}]})(exchange)

    house.world.answers["lead_form"] = [answer_late, says(house.world.leads[LEADGEN_ID])]
    await house.receive(form())
    slow = await house.claim(lease_seconds=-1)
    sleeping = asyncio.create_task(house.look_up(slow))
    await asyncio.to_thread(asked.wait, 20)
    assert (await house.look_up()).state == "found"
    go_on.set()
    await sleeping
    assert (await house.lead(LEADGEN_ID)).author_name == NAME
    assert (len(await house.follow_ups()), len(await house.completions())) == (1, 1)


async def test_who_lost_the_lease_writes_nothing_while_the_next_still_asks(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form())
    slow = await house.claim(lease_seconds=-1)
    asked, go_on = threading.Event(), threading.Event()

    def answer_late(exchange: Exchange) -> None:
        asked.set()
        go_on.wait(20)
        says(house.world.leads[LEADGEN_ID])(exchange)

    house.world.answers["lead_form"] = answer_late
    sleeping = asyncio.create_task(house.look_up(slow))
    await asyncio.to_thread(asked.wait, 20)
    await house.claim()
    go_on.set()
    row = await sleeping
    assert (row.state, row.lease_token) == ("looking", slow.lease_token + 1)
    assert (await house.lead(LEADGEN_ID)).author_name is None
    assert (await house.follow_ups(), await house.completions()) == ([], [])


async def test_a_worker_killed_while_asking_leaves_the_form_to_the_next(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    asked, go_on = threading.Event(), threading.Event()

    def answer_never(_: Exchange) -> None:
        asked.set()
        go_on.wait(20)

    house.world.answers["lead_form"] = [answer_never, says(house.world.leads[LEADGEN_ID])]
    await house.receive(form())
    killed = asyncio.create_task(house.look_up(await house.claim()))
    await asyncio.to_thread(asked.wait, 20)
    killed.cancel()
    await asyncio.wait([killed])
    go_on.set()
    assert (await house.row()).state == "looking"
    assert await house.claims() == []
    await house.let_time_pass(days=1)
    assert (await house.look_up()).state == "found"
    assert (len(await house.follow_ups()), len(await house.completions())) == (1, 1)


async def test_a_second_writing_of_the_same_answer_changes_nothing(house: House) -> None:
    """As when the answer to a commit was lost."""
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form())
    claim = await house.claim()
    before = await house.look_up(claim)
    await house.look_up(claim)
    assert (await house.row()).found_at == before.found_at
    assert len(await house.completions()) == 1


async def test_no_transaction_is_open_while_graph_is_asked(house: House) -> None:
    await house.connect()
    asked, go_on = threading.Event(), threading.Event()

    def answer_late(exchange: Exchange) -> None:
        asked.set()
        go_on.wait(20)
        ill()(exchange)

    house.world.answers["lead_form"] = answer_late
    await house.receive(form())
    looking = asyncio.create_task(house.look_up())
    await asyncio.to_thread(asked.wait, 20)
    others = "pid <> pg_backend_pid() AND datname = current_database() AND application_name = 'tests' AND xact_start IS NOT NULL"
    async with house.engine.connect() as connection:
        open_transactions = (await connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))).scalar_one()
    go_on.set()
    await looking
    assert open_transactions == 0


async def test_a_form_that_ends_its_worker_each_time_rests_and_is_not_lost(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form())
    for _ in range(CRASH_LIMIT):
        await house.claim(lease_seconds=-1)
    row = await house.look_up()
    assert (row.state, row.last_failure) == ("pending", "crashed")
    assert row.in_seconds > 3 * 3600 - 60
    assert house.world.requests == ()
    await house.let_time_pass(days=1)
    assert (await house.look_up()).state == "found"
