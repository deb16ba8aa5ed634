"""What is remembered: the same words are asked about once in thirty days, and an answer belongs to the words it was given to."""

import asyncio
import threading

import pytest

from lead_signals.intent.verdict import IntentLabel
from lead_signals.language_model.opinion import Opinion
from lead_signals.second_opinion.opinion_answer import forget_old_answers, opinion_answers, recall_answer
from lead_signals.second_opinion.opinion_question import question_sha256
from lead_signals.tenancy.tenant_session import tenant_session
from tests.language_model.model_server import held, opines
from tests.leads.lives import removed
from tests.second_opinion.asking_house import UNCLEAR, AskingHouse, rewritten


async def test_the_same_words_are_paid_for_once(house: AskingHouse) -> None:
    house.server.answer = opines("complaint", 0.75)
    await house.say()
    await house.give()
    await house.say("  DẠ EM CHÀO CHỊIIII , hôm bữa bên em có qua bên đó rồi", "m_2")
    row = await house.give()
    assert (row.state, row.intent_label, row.from_cache, row.applied) == ("answered", "complaint", True, True)
    assert len(house.server.questions) == 1
    assert await house.calls() == [(1, 410, 17)]
    assert (await house.lead("m_2")).intent_label == "complaint"
    assert len(await house.follow_ups()) == 2


@pytest.mark.parametrize("other", [f"{UNCLEAR} không", UNCLEAR.replace("chị,", "chị"), UNCLEAR.replace("rồi", "rối")])
async def test_other_words_are_another_question(house: AskingHouse, other: str) -> None:
    await house.say()
    await house.give()
    await house.say(other, "m_2")
    assert (await house.give()).from_cache is False
    assert len(house.server.questions) == 2


async def test_an_answer_holds_thirty_days(house: AskingHouse) -> None:
    await house.say()
    await house.give()
    await house.let_time_pass(hours=29 * 24)
    await house.say(message_id="m_2")
    assert (await house.give()).from_cache is True
    assert await forget_old_answers(house.engine, at_once=1) == 0
    await house.let_time_pass(hours=2 * 24)
    await house.say(message_id="m_3")
    assert (await house.give()).from_cache is False
    await house.let_time_pass(hours=31 * 24)
    assert await forget_old_answers(house.engine, at_once=1) >= 1
    assert await house.rows(opinion_answers) == []


@pytest.mark.parametrize("afterwards", ["removed", "decided before", "nothing more"])
async def test_an_answer_is_remembered_for_the_words_that_were_asked_about(house: AskingHouse, afterwards: str) -> None:
    gate = threading.Event()
    house.server.answer = held(gate, opines("complaint", 0.8))
    lead = await house.say()
    giving = asyncio.create_task(house.give(await house.claim()))
    await asyncio.to_thread(house.server.wait_for, 1)
    if afterwards == "decided before":
        await house.move(lead.id, status="confirmed")
    await house.receive(rewritten("m_1", "Chữ khác mà cũng không rõ", minutes=3))
    if afterwards == "removed":
        await house.receive(removed("m_1"))
    gate.set()
    assert (await giving).applied is False
    (answer,) = await house.rows(opinion_answers)
    assert bytes(answer.question_sha256) == question_sha256(UNCLEAR, "vua-du-dung")
    assert await recalled(house, UNCLEAR) == Opinion(IntentLabel.COMPLAINT, 0.8)
    assert await recalled(house, "Chữ khác mà cũng không rõ") is None


async def recalled(house: AskingHouse, words: str) -> Opinion | None:
    async with tenant_session(house.engine, house.tenant_id) as session:
        return await recall_answer(session, house.tenant_id, question_sha256(words, "vua-du-dung"))
