"""A form under an ad arrives as an id. What the person wrote is asked of Graph, however long that takes; then they are called, once."""

import asyncio
import json
import threading
from typing import Any

import pytest
from sqlalchemy import update

from lead_signals.enrichment.look_up import look_up
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.request_look_ups import misses_something
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.enrichment.house import ANSWERS, LEADGEN_ID, NAME, House, form
from tests.graph_api.graph_answers import dead_token, graph_error, html_page, ill, missing_permission, throttled
from tests.graph_api.graph_stand_in import PAGE_ID, PAGE_TOKEN
from tests.receiver import Exchange

NEW_TOKEN = "EAAanotherInventedTokenOfHoaSenFurniture02"


async def test_the_lead_becomes_whole_and_somebody_is_called(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS, ad_id="820000000000001")
    await house.receive(form())
    row = await house.look_up()
    lead = await house.lead(LEADGEN_ID)
    assert (row.state, row.last_failure, row.lease_until) == ("found", None, None)
    assert lead.author_name == NAME
    assert lead.content_text == f"Họ tên: {NAME}\nSố điện thoại: +84912345607\nBạn cần gì? báo giá 200 áo thun"
    assert (lead.intent_label, lead.priority, lead.confidence_score, lead.status) == ("contact_request", "high", 0.95, "new_auto")
    assert lead.meta["phones"] == ["+84912345607"]
    assert lead.meta["field_data"][0] == {"name": "full_name", "values": [NAME]}
    assert (lead.meta["form_id"], lead.meta["ad_id"]) == ("810000000000001", "820000000000001")
    (seen,) = lead.meta["evidence"]
    assert seen["rule"] == "lead_form"
    assert lead.content_text[seen["start"] : seen["end"]] == "+84912345607"
    assert lead.updated_at > lead.created_at


async def test_answers_that_came_along_complete_the_lead_without_a_question(house: House) -> None:
    told = [{"name": name, "values": values} for name, values in ANSWERS.items()]
    await house.receive(form(meta={"field_data": told}))
    row = await house.look_up()
    lead = await house.lead(LEADGEN_ID)
    assert (row.state, lead.author_name, lead.intent_label, lead.meta["phones"]) == ("found", NAME, "contact_request", ["+84912345607"])
    assert len(await house.follow_ups()) == 1
    assert len(house.world.requests) == 0


async def test_a_form_within_a_message_completes_it_though_its_sender_has_a_name(house: House) -> None:
    """A Flow of WhatsApp: a message whose words are only "Sent", from somebody with a name, and the answers beside it."""
    told = [{"name": "phone", "values": ["0912345607"]}, {"name": "nhu_cau", "values": ["báo giá 30 bộ"]}]
    flow = form(platform="whatsapp", source_type="message", author_name=NAME, content_text="Sent", meta={"field_data": told})
    assert misses_something(flow)
    await house.receive(flow)
    await house.look_up()
    lead = await house.lead(LEADGEN_ID)
    assert (lead.content_text, lead.intent_label, lead.priority, lead.meta["phones"]) == (
        "Sent",
        "contact_request",
        "high",
        ["+84912345607"],
    )
    assert len(await house.follow_ups()) == 1


async def test_the_follow_up_tells_what_the_form_told(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    (opened,) = await house.receive(form())
    assert await house.follow_ups() == []
    await house.look_up()
    (owed,) = await house.follow_ups()
    told = json.loads(owed.body)
    assert (told["lead_id"], told["author_name"], told["phones"]) == (str(opened.id), NAME, ["+84912345607"])
    assert (told["intent_label"], told["priority"], told["status"]) == ("contact_request", "high", "new_auto")
    assert told["console_url"].startswith("https://leads.example.vn/")


async def test_the_audit_tells_that_and_nothing_of_the_person(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    (opened,) = await house.receive(form())
    await house.look_up()
    (event,) = await house.completions()
    assert (event.entity_id, event.actor, event.detail["look_up"], event.detail["phones"]) == (opened.id, "SYSTEM", "lead_form", 1)
    assert not any(secret in json.dumps(event.detail, ensure_ascii=False) for secret in ("Tuyết", "912345607", "báo giá"))


async def test_without_a_way_to_reach_them_a_person_looks_and_nobody_is_called(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, {"full_name": [NAME], "ghi_chú": ["tư vấn giúp"]})
    await house.receive(form())
    await house.look_up()
    lead = await house.lead(LEADGEN_ID)
    assert (lead.intent_label, lead.priority, lead.status) == ("inquiry", "medium", "new_draft")
    assert await house.follow_ups() == []


async def test_without_a_receiver_nothing_is_owed(house: House) -> None:
    house.settings = house.settings.model_copy(update={"webhook_url": None})
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form())
    assert (await house.look_up()).state == "found"
    assert await house.follow_ups() == []


async def test_what_a_person_decided_meanwhile_stands(house: House) -> None:
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    (opened,) = await house.receive(form())
    decided = {"status": "dismissed", "intent_label": "complaint", "priority": "high"}
    async with tenant_session(house.engine, house.tenant_id) as session:
        await session.execute(update(lead_signals).where(lead_signals.c.id == opened.id).values(decided))
    await house.look_up()
    lead = await house.lead(LEADGEN_ID)
    assert {name: lead[name] for name in decided} == decided
    assert (lead.author_name, lead.meta["phones"]) == (NAME, ["+84912345607"])
    assert await house.follow_ups() == []


async def test_what_strangers_write_is_kept_within_bounds(house: House) -> None:
    await house.connect()
    hostile: dict[str, Any] = {
        "full_name": ["Nam\x00\x00 <script>alert(1)</script>"],
        "phone_number": ["0912345607"],
        "ghi_chú\x00": ["x" * 100_000, "'; DROP TABLE lead_signals; --"],
        "emoji": ["\N{GRINNING FACE}" * 1_000],
    }
    house.world.fill_in_lead_form(LEADGEN_ID, hostile)
    house.world.leads[LEADGEN_ID]["field_data"] += [{"name": "deep", "values": [[[["0987654320"]]]]}, 7, {"name": {}, "values": "x"}]
    await house.receive(form())
    assert (await house.look_up()).state == "found"
    lead = await house.lead(LEADGEN_ID)
    assert lead.author_name == "Nam\u2400\u2400 <script>alert(1)</script>"
    assert lead.meta["phones"] == ["+84912345607"]
    assert lead.meta["unread_answers"] == 3
    assert len(lead.content_text) < 10_000
    assert len(await house.follow_ups()) == 1


@pytest.mark.parametrize("answer", [ill(), ill(503), html_page(), graph_error(2), graph_error(1, status=500)])
async def test_what_may_pass_is_tried_again_with_longer_and_longer_pauses(house: House, answer: Any) -> None:
    await house.connect()
    house.world.answers["lead_form"] = answer
    await house.receive(form())
    waited = []
    for _ in range(12):
        row = await house.look_up()
        waited.append(round(row.in_seconds))
        await house.let_time_pass(days=row.in_seconds / 86_400 + 0.001)
    assert waited[:4] == pytest.approx([30, 60, 120, 240], abs=3)
    assert waited[-1] == pytest.approx(6 * 3600, abs=3)
    assert (row.state, row.failures) == ("pending", 12)
    house.world.answers.clear()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    assert (await house.look_up()).state == "found"
    assert len(await house.follow_ups()) == 1


async def test_graph_says_how_long_to_wait_and_is_left_alone(house: House) -> None:
    await house.connect()
    house.world.answers["lead_form"] = throttled(80005, "retry-after: 1800")
    await house.receive(form())
    row = await house.look_up()
    assert row.in_seconds == pytest.approx(1800 + 30, abs=3)
    assert (row.last_failure, row.failures) == ("retry", 1)


async def test_another_form_of_a_throttled_page_is_put_off_without_a_call(house: House) -> None:
    await house.connect()
    house.world.answers["lead_form"] = throttled(80005, "retry-after: 1800")
    await house.receive(form())
    await house.look_up()
    await house.receive(form("4440000000000022"))
    row = await house.look_up()
    assert (row.state, row.failures, row.attempts, row.last_failure) == ("pending", 0, 0, None)
    assert row.in_seconds == pytest.approx(3600, abs=30)
    assert len(house.world.requests) == 1


async def test_a_form_waits_for_its_token_and_comes_with_it(house: House) -> None:
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form())
    row = await house.look_up()
    assert (row.state, row.last_failure) == ("pending", "no_token")
    assert 3 * 3600 - 60 < row.in_seconds <= 6 * 3600
    assert house.world.requests == ()
    assert await house.claims() == []
    assert await house.connect() == 1
    assert (await house.look_up()).state == "found"
    assert len(await house.follow_ups()) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(missing_permission(), "permission", id="permission"),
        pytest.param(dead_token(460), "reconnect", id="password changed"),
        pytest.param(graph_error(368), "blocked", id="blocked"),
        pytest.param(graph_error(100), "refused", id="refused"),
    ],
)
async def test_what_a_new_token_mends(house: House, answer: Any, reason: str) -> None:
    await house.connect()
    house.world.answers["lead_form"] = answer
    await house.receive(form())
    row = await house.look_up()
    assert (row.state, row.last_failure) == ("pending", reason)
    assert row.in_seconds > 3 * 3600 - 60
    house.world.answers.clear()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    house.world.connect_page(token=NEW_TOKEN)
    assert await house.connect(NEW_TOKEN) == 1
    assert (await house.look_up()).state == "found"
    assert house.world.requests[-1].token == NEW_TOKEN


async def test_a_token_that_comes_while_the_old_one_is_asked_with_is_used_at_once(house: House) -> None:
    await house.connect()
    house.world.connect_page(token=NEW_TOKEN)
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    asked, go_on = threading.Event(), threading.Event()

    def refuse_late(exchange: Exchange) -> None:
        asked.set()
        go_on.wait(20)
        dead_token()(exchange)

    house.world.answers["lead_form"] = refuse_late
    await house.receive(form())
    looking = asyncio.create_task(house.look_up())
    await asyncio.to_thread(asked.wait, 20)
    async with tenant_session(house.engine, house.tenant_id) as session:
        assert await house.connect_in(session, NEW_TOKEN) == 0  # it is being asked: nothing waits
        go_on.set()
    row = await looking
    assert (row.last_failure, row.state) == ("reconnect", "pending")
    assert row.in_seconds <= 0
    house.world.answers.clear()
    assert (await house.look_up()).state == "found"


async def test_the_token_of_another_page_or_platform_is_not_used(house: House) -> None:
    await house.connect(page_id="700000000000002")
    await house.connect(platform="instagram")
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form())
    assert (await house.look_up()).last_failure == "no_token"
    assert await house.connect(page_id="700000000000002") == 0


async def test_a_token_sealed_by_a_lost_key_is_no_token(house: House) -> None:
    await house.connect()
    house.settings = house.settings.model_copy(update={"channel_token_key": None})
    await house.receive(form())
    assert (await house.look_up()).last_failure == "no_token"


async def test_a_form_graph_does_not_have_is_given_up_but_not_at_its_first_word(house: House) -> None:
    await house.connect()
    await house.receive(form())
    for _ in range(4):
        assert (await house.look_up()).state == "pending"
        await house.let_time_pass(days=0.01)
    row = await house.look_up()
    assert (row.state, row.last_failure, row.failures) == ("given_up", "not_found", 5)
    assert (await house.lead(LEADGEN_ID)).content_text == ""
    assert await house.claims() == []


async def test_a_form_given_up_is_asked_for_once_more_with_a_new_token(house: House) -> None:
    """Graph says that a form does not exist also to those who may not see it."""
    await house.connect()
    await house.receive(form())
    for _ in range(5):
        await house.look_up()
        await house.let_time_pass(days=0.01)
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    assert await house.connect() == 1
    assert (await house.look_up()).state == "found"


async def test_after_ninety_days_there_is_nothing_left_to_ask_for(house: House) -> None:
    await house.receive(form())
    await house.let_time_pass(days=89)
    assert (await house.look_up()).state == "pending"
    await house.let_time_pass(days=2)
    row = await house.look_up()
    assert (row.state, row.last_failure) == ("given_up", "no_token")
    assert await house.connect() == 0


async def test_the_lead_of_another_tenant_with_the_same_id_is_not_touched(house: House) -> None:
    other = await onboard_tenant(house.engine, Onboarding(tenant_name="Nhà In Phố Cổ", industry="In ấn"))
    neighbour = House(house.engine, other.tenant.id, house.settings, house.graph, house.world)
    await house.connect()
    house.world.fill_in_lead_form(LEADGEN_ID, ANSWERS)
    await house.receive(form())
    await neighbour.receive(form())
    for claim in await house.claims():
        await look_up(house.engine, house.graph, house.settings, claim)
    assert (await house.lead(LEADGEN_ID)).author_name == NAME
    assert (await neighbour.lead(LEADGEN_ID)).author_name is None
    assert (await neighbour.row()).last_failure == "no_token"


async def test_the_token_travels_in_the_header_alone(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.connect()
    house.world.answers["lead_form"] = dead_token()
    await house.receive(form(channel_external_id=PAGE_ID))
    with caplog.at_level("DEBUG"):
        await house.look_up()
    assert house.world.requests[-1].token == PAGE_TOKEN
    assert PAGE_TOKEN not in caplog.text
