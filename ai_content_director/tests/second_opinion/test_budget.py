"""A day's calls: counted before they are made, exactly, by all workers together; what is over waits for the next day."""

import asyncio

import pytest
from sqlalchemy import func, select

from lead_signals.second_opinion.opinion_day import TODAY, TOMORROW, opinion_days, reserve_call
from lead_signals.tenancy.tenant_session import tenant_session
from tests.language_model.model_server import opines
from tests.second_opinion.asking_house import UNCLEAR, AskingHouse, unclear


async def test_ten_at_once_make_exactly_the_calls_there_are(house: AskingHouse) -> None:
    house.set(LEAD_CLASSIFY_LLM_DAILY_CALLS="3")
    await house.receive(*(unclear(f"m_{number}", f"{UNCLEAR} {number}") for number in range(10)))
    claims = await house.claims()
    assert len(claims) == 10
    await asyncio.gather(*(house.another_giver().give_opinion(claim) for claim in claims))
    assert len(house.server.questions) == 3
    assert (await house.calls())[0][0] == 3
    rows = await house.requests()
    assert sorted(row.state for row in rows) == ["answered"] * 3 + ["pending"] * 7
    for row in rows:
        if row.state == "pending":
            assert (row.last_failure, row.failures, row.attempts) == ("budget_used", 0, 0)


async def test_what_is_over_waits_for_the_next_day_of_vietnam(house: AskingHouse) -> None:
    house.set(LEAD_CLASSIFY_LLM_DAILY_CALLS="1")
    house.jitter = 0.0
    await house.use_up(1)
    await house.say()
    row = await house.give()
    async with tenant_session(house.engine, house.tenant_id) as session:
        begins = (await session.execute(select(TOMORROW))).scalar_one()
        local = (await session.execute(select(func.timezone("Asia/Ho_Chi_Minh", TOMORROW)))).scalar_one()
        today = (await session.execute(select(TODAY))).scalar_one()
    assert row.due_at == begins
    assert (local.hour, local.minute, (local.date() - today).days) == (0, 0, 1)


async def test_what_waited_two_days_is_given_up(house: AskingHouse) -> None:
    house.set(LEAD_CLASSIFY_LLM_DAILY_CALLS="1")
    await house.use_up(1)
    await house.say()
    assert (await house.give()).state == "pending"
    await house.let_time_pass(hours=47)
    assert (await house.give()).state == "pending"
    await house.let_time_pass(hours=26)
    row = await house.give()
    assert (row.state, row.last_failure, row.failures) == ("given_up", "budget_used", 0)
    assert house.server.questions == ()


async def test_no_calls_at_all_leave_what_is_remembered(house: AskingHouse) -> None:
    house.server.answer = opines("complaint", 0.8)
    await house.say()
    await house.give()
    house.set(LEAD_CLASSIFY_LLM_DAILY_CALLS="0")
    await house.say(message_id="m_2")
    assert (await house.give()).from_cache is True
    await house.say("Chuyện khác hẳn", "m_3")
    assert (await house.give()).last_failure == "budget_used"
    assert len(house.server.questions) == 1


@pytest.mark.parametrize("most_calls", [0, 1, 5])
async def test_a_reservation_is_a_count(house: AskingHouse, most_calls: int) -> None:
    async def reserve() -> bool:
        async with tenant_session(house.engine, house.tenant_id) as session:
            return await reserve_call(session, house.tenant_id, most_calls=most_calls) is not None

    given = await asyncio.gather(*(reserve() for _ in range(12)))
    assert sum(given) == most_calls
    assert sum(row.calls for row in await house.rows(opinion_days)) == most_calls
