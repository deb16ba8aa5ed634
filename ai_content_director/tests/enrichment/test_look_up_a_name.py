"""Messenger tells an id and no name. The name is asked for once for each sender, and put on all they ever wrote."""

import asyncio
import threading
from typing import Any

import pytest

from lead_signals.enrichment.when_to_ask_again import MOST_TRIES_FOR_A_NAME
from lead_signals.tenancy.tenant_session import tenant_session
from tests.enrichment.house import NAME, PSID, House, message, somebody_waits_for_a_lock
from tests.graph_api.graph_answers import dead_token, graph_error, html_page, ill, missing_permission, says
from tests.receiver import Exchange
from tests.waiting import wait_until_async


async def test_a_name_goes_on_everything_the_sender_wrote(house: House) -> None:
    await house.connect()
    house.world.people[PSID] = {"name": NAME, "first_name": "Tuyết", "last_name": "Lương Thị Ánh"}
    await house.receive(
        message("m_1"), message("m_2"), message("m_3", author_name="Cô Tuyết"), message("m_4", author_id="5550000000000018")
    )
    await house.receive(message("m_5", source_type="postback"))
    first, second = await house.claims()
    row = await house.look_up(first)
    assert (row.state, row.found_name, row.failures) == ("found", NAME, 0)
    names = [(await house.lead(f"m_{number}")).author_name for number in range(1, 6)]
    assert names == [NAME, NAME, "Cô Tuyết", None, NAME]
    assert len(await house.completions()) == 3
    assert (await house.look_up(second)).state == "given_up"  # nobody knows them


async def test_what_was_decided_about_the_leads_is_left_alone(house: House) -> None:
    await house.connect()
    house.world.people[PSID] = {"name": NAME}
    await house.receive(message("m_1", "Cho mình báo giá 50 áo"))
    before = await house.lead("m_1")
    await house.look_up()
    after = await house.lead("m_1")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"author_name", "updated_at"}
    (event,) = await house.completions()
    assert (event.entity_id, event.detail) == (after.id, {"look_up": "sender_name"})


async def test_the_conversation_names_who_has_no_profile(house: House) -> None:
    await house.connect()
    house.world.participants[PSID] = NAME
    await house.receive(message("m_1"))
    assert (await house.look_up()).found_name == NAME


async def test_a_name_that_arrives_after_three_failures(house: House) -> None:
    await house.connect()
    house.world.people[PSID] = {"name": NAME}
    house.world.answers["profile"] = [ill(), html_page(), graph_error(2), says({"id": PSID, "name": NAME})]
    await house.receive(message("m_1"))
    for failures in (1, 2, 3):
        row = await house.look_up()
        assert (row.state, row.failures) == ("pending", failures)
        await house.let_time_pass(days=0.01)
    assert (await house.look_up()).state == "found"
    assert (await house.lead("m_1")).author_name == NAME


async def test_a_name_that_can_never_be_had_is_given_up(house: House) -> None:
    await house.connect()
    house.world.answers["profile"] = ill()
    await house.receive(message("m_1"))
    for _ in range(MOST_TRIES_FOR_A_NAME - 1):
        assert (await house.look_up()).state == "pending"
        await house.let_time_pass(days=0.5)
    row = await house.look_up()
    assert (row.state, row.last_failure, row.failures) == ("given_up", "retry", MOST_TRIES_FOR_A_NAME)
    assert (await house.lead("m_1")).author_name is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(missing_permission(), "permission", id="permission"),
        pytest.param(graph_error(100, 33), "not_found", id="not found"),
        pytest.param(says({"id": PSID}), "no_name", id="no name"),
        pytest.param(graph_error(100), "refused", id="refused"),
    ],
)
async def test_what_asking_again_cannot_help(house: House, answer: Any, reason: str) -> None:
    await house.connect()
    house.world.answers["profile"] = answer
    await house.receive(message("m_1"))
    row = await house.look_up()
    assert (row.state, row.last_failure) == ("given_up", reason)
    await house.receive(message("m_2"))
    assert await house.claims() == []


async def test_a_dead_token_makes_names_wait_for_the_next_one(house: House) -> None:
    await house.connect()
    house.world.people[PSID] = {"name": NAME}
    house.world.answers["profile"] = [dead_token(), says({"id": PSID, "name": NAME})]
    await house.receive(message("m_1"))
    assert (await house.look_up()).last_failure == "reconnect"
    assert await house.connect() == 1
    assert (await house.look_up()).state == "found"


async def test_who_renamed_themselves_is_named_anew_where_we_gave_the_name(house: House) -> None:
    await house.connect()
    house.world.people[PSID] = {"name": "Tuyết Lương"}
    await house.receive(message("m_1"), message("m_2", author_name="Cô Tuyết"))
    await house.look_up()
    await house.let_time_pass(days=31)
    house.world.people[PSID] = {"name": NAME}
    await house.receive(message("m_3"))
    assert (await house.lead("m_3")).author_name == "Tuyết Lương"
    await house.look_up()
    assert [(await house.lead(f"m_{number}")).author_name for number in (1, 2, 3)] == [NAME, "Cô Tuyết", NAME]


async def test_a_known_name_outlives_a_later_silence(house: House) -> None:
    await house.connect()
    house.world.people[PSID] = {"name": NAME}
    await house.receive(message("m_1"))
    await house.look_up()
    await house.let_time_pass(days=31)
    house.world.answers["profile"] = missing_permission()
    await house.receive(message("m_2"))
    row = await house.look_up()
    assert (row.state, row.found_name) == ("given_up", NAME)
    await house.receive(message("m_3"))
    assert (await house.lead("m_3")).author_name == NAME


async def test_a_lead_opened_while_its_sender_is_named_gets_the_name(house: House) -> None:
    """Whoever comes second sees what the first has done: the finder our lead, or we the name."""
    await house.connect()
    house.world.people[PSID] = {"name": NAME}
    asked, go_on = threading.Event(), threading.Event()

    def answer_late(exchange: Exchange) -> None:
        asked.set()
        go_on.wait(20)
        says({"id": PSID, "name": NAME})(exchange)

    house.world.answers["profile"] = answer_late
    await house.receive(message("m_1"))
    looking = asyncio.create_task(house.look_up())
    await asyncio.to_thread(asked.wait, 20)
    async with tenant_session(house.engine, house.tenant_id) as session:
        await house.receive_in(session, message("m_2"))
        go_on.set()
        # The finder must wait for our transaction: writing now, it would not see m_2.
        await wait_until_async(lambda: somebody_waits_for_a_lock(house.engine), "the finder waited, or had finished")
        assert not looking.done()
    await looking
    assert (await house.lead("m_2")).author_name == NAME


async def test_a_hostile_name_is_kept_as_it_is_and_cannot_break_a_row(house: House) -> None:
    await house.connect()
    house.world.people[PSID] = {"name": "Nam\x00<img src=x onerror=alert(1)>" + "\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 10_000}
    await house.receive(message("m_1"))
    assert (await house.look_up()).state == "found"
    name = (await house.lead("m_1")).author_name
    assert name.startswith("Nam\u2400<img src=x")
    assert len(name) == 512
