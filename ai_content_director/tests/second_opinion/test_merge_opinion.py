"""An opinion and everything else that happens to a lead: edits, hiding, crowds of one author, and the rules read again."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, insert

from lead_signals.audit.audit_event import SYSTEM, AuditEventType, audit_events
from lead_signals.database.lease import settle
from lead_signals.database.new_id import new_id
from lead_signals.intent.verdict import IntentLabel
from lead_signals.language_model.opinion import Opinion
from lead_signals.leads.changed_lead import SECOND_OPINION
from lead_signals.leads.opinion_request import opinion_requests
from lead_signals.leads.promise_follow_ups import follow_up_policy
from lead_signals.second_opinion.merge_opinion import LANGUAGE_MODEL_RULE, MOST_RAISED_AN_HOUR, merge_opinion
from lead_signals.second_opinion.opinion_question import hold_question
from lead_signals.tenancy.tenant_session import tenant_session
from tests.enrichment.house import somebody_waits_for_a_lock
from tests.language_model.model_server import opines
from tests.leads.lives import hidden, removed, shown
from tests.second_opinion.asking_house import UNCLEAR, AskingHouse, rewritten, unclear
from tests.waiting import wait_until_async


async def with_opinion(house: AskingHouse, label: str = "complaint") -> None:
    house.server.answer = opines(label, 0.8)
    await house.say()
    assert (await house.give()).applied


async def test_hiding_and_showing_keep_the_opinion(house: AskingHouse) -> None:
    await with_opinion(house)
    before = await house.lead()
    await house.receive(hidden("m_1", minutes=5))
    assert (await house.lead()).meta["hidden"] is True
    await house.receive(shown("m_1", minutes=6))
    after = await house.lead()
    assert (after.intent_label, after.priority, after.confidence_score, after.status, after.meta) == (
        before.intent_label,
        before.priority,
        before.confidence_score,
        before.status,
        before.meta,
    )
    assert await house.claims() == []
    assert len(await house.follow_ups()) == 1


async def test_an_edit_falls_back_to_the_rules_and_is_asked_anew(house: AskingHouse) -> None:
    await with_opinion(house)
    await house.receive(rewritten("m_1", "Chữ khác mà cũng không rõ", minutes=5))
    lead = await house.lead()
    assert (lead.intent_label, lead.priority, lead.status) == ("unknown", "medium", "new_escalate")
    assert SECOND_OPINION not in lead.meta
    assert all(seen["rule"] != LANGUAGE_MODEL_RULE for seen in lead.meta["evidence"])
    house.server.answer = opines("demo_request", 0.8)
    assert (await house.give()).intent_label == "demo_request"
    assert (await house.lead()).intent_label == "demo_request"
    assert len(await house.follow_ups()) == 1  # what was promised before stays, and nobody is called twice


async def test_an_edit_that_the_rules_know_is_theirs_and_no_change_brings_the_opinion_back(house: AskingHouse) -> None:
    await with_opinion(house, "spam")
    await house.receive(rewritten("m_1", "Bảng giá ạ", minutes=5, label="inquiry_price"))
    await house.receive(hidden("m_1", minutes=6))
    await house.receive(rewritten("m_1", "Một bản sửa cũ hơn", minutes=2))  # comes late
    lead = await house.lead()
    assert (lead.intent_label, lead.priority) == ("inquiry_price", "high")
    assert SECOND_OPINION not in lead.meta
    assert await house.claims() == []


async def test_the_first_words_written_again_are_asked_again_and_answered_from_memory(house: AskingHouse) -> None:
    await with_opinion(house)
    await house.receive(rewritten("m_1", "Bảng giá ạ", minutes=5, label="inquiry_price"))
    await house.receive(rewritten("m_1", UNCLEAR, minutes=6))
    assert (await house.lead()).intent_label == "unknown"
    row = await house.give()
    assert (row.applied, row.from_cache) == (True, True)
    assert (await house.lead()).intent_label == "complaint"
    assert len(house.server.questions) == 1


async def test_a_removed_message_keeps_its_opinion_and_is_withdrawn(house: AskingHouse) -> None:
    await with_opinion(house)
    await house.receive(removed("m_1"))
    lead = await house.lead()
    assert (lead.status, lead.intent_label) == ("withdrawn", "complaint")
    (follow_up,) = await house.follow_ups()
    assert follow_up.state == "cancelled"


async def test_nobody_listens_and_nothing_is_promised(house: AskingHouse) -> None:
    house.set(WEBHOOK_URL="")
    await with_opinion(house)
    assert (await house.lead()).priority == "high"
    assert await house.follow_ups() == []


async def test_one_author_cannot_have_us_called_all_day(house: AskingHouse) -> None:
    house.server.answer = opines("purchase_intent", 0.8)
    crowd = [unclear(f"m_{number}", f"{UNCLEAR} {number}") for number in range(MOST_RAISED_AN_HOUR + 3)]
    await house.receive(*crowd, unclear("m_other", f"{UNCLEAR} nha", author_id="u_else"))
    claims = await house.claims()
    await asyncio.gather(*(house.another_giver().give_opinion(claim) for claim in claims))
    assert len(await house.follow_ups()) == MOST_RAISED_AN_HOUR + 1
    assert (await house.lead("m_other")).priority == "high"
    capped = [event for event in await house.events() if event.get("capped")]
    assert len(capped) == 3
    assert {(event["intent_label"], event["priority"], event["status"]) for event in capped} == {("unknown", "medium", "new_escalate")}
    assert {event["said"]["intent_label"] for event in capped} == {"purchase_intent"}
    assert sum(row.applied for row in await house.requests()) == MOST_RAISED_AN_HOUR + 1

    house.server.answer = opines("inquiry", 0.8)
    await house.say("Một câu nữa", "m_medium")
    assert (await house.give()).applied is True  # the cap is about being called


@pytest.mark.parametrize(("minutes", "priority"), [(59, "medium"), (61, "high")])
async def test_an_hour_later_they_are_heard_again(house: AskingHouse, minutes: int, priority: str) -> None:
    house.server.answer = opines("purchase_intent", 0.8)
    lead = await house.say()
    kind = AuditEventType.LEAD_SIGNAL_SECOND_OPINION.value
    raised = {"tenant_id": house.tenant_id, "entity_type": "lead_signal", "entity_id": lead.id, "detail": {"priority": "high"}}
    at = func.now() - timedelta(minutes=minutes)
    async with tenant_session(house.engine, house.tenant_id) as session:
        for _ in range(MOST_RAISED_AN_HOUR):
            event = {"id": new_id(), "event_type": kind, "actor": SYSTEM, "created_at": at}
            await session.execute(insert(audit_events).values(raised | event))
    await house.give()
    assert (await house.lead()).priority == priority


async def test_who_edits_to_and_fro_has_the_same_share(house: AskingHouse) -> None:
    house.server.answer = opines("purchase_intent", 0.8)
    for number in range(MOST_RAISED_AN_HOUR + 2):
        message_id, words = f"m_{number}", f"{UNCLEAR} {number}"
        await house.say(words, message_id)
        await house.give()
        await house.receive(rewritten(message_id, "Còn hàng không", minutes=5, label="inquiry"))
        await house.receive(rewritten(message_id, words, minutes=6))  # owed again: the request forgets what came of it
        await house.receive(rewritten(message_id, "Còn hàng không shop", minutes=7, label="inquiry"))
        assert (await house.give()).last_failure == "text_changed"
    assert len(await house.follow_ups()) == MOST_RAISED_AN_HOUR
    assert sum("capped" in event for event in await house.events()) == 2


async def test_two_workers_do_not_share_out_the_last_one_twice(house: AskingHouse) -> None:
    house.server.answer = opines("purchase_intent", 0.8)
    await house.receive(*(unclear(f"m_{number}", f"{UNCLEAR} {number}") for number in range(MOST_RAISED_AN_HOUR + 1)))
    *earlier, last_but_one, last = await house.claims()
    for claim in earlier:
        await house.giver.give_opinion(claim)
    async with tenant_session(house.engine, house.tenant_id) as session:
        question = await hold_question(session, last_but_one)
        assert question is not None
        opinion, policy = Opinion(IntentLabel.PURCHASE_INTENT, 0.8), follow_up_policy(house.settings)
        assert await merge_opinion(session, house.tenant_id, question.lead, opinion, model="m", policy=policy)
        said = {"intent_label": "purchase_intent", "confidence_score": 0.8, "model": "m", "applied": True}
        assert await settle(session, opinion_requests, last_but_one, {"state": "answered", "finished_at": func.now(), **said})
        other = asyncio.create_task(house.give(last))
        await wait_until_async(lambda: somebody_waits_for_a_lock(house.engine), "the other worker waits for this author")
    assert (await other).applied is False
    assert len(await house.follow_ups()) == MOST_RAISED_AN_HOUR
