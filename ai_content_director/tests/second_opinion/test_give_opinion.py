"""One request, from the question to the lead: what is asked, what is remembered, and what is left to people."""

import asyncio
import hashlib
import threading
from typing import Any

import pytest
from sqlalchemy import text

from lead_signals.language_model.asked import Asked
from lead_signals.language_model.circuit_breaker import FAILURES_TO_OPEN
from lead_signals.language_model.prompt import Prompt
from lead_signals.leads.changed_lead import SECOND_OPINION
from lead_signals.second_opinion.give_opinion import CRASH_LIMIT
from tests.graph_api.graph_answers import says_bytes
from tests.language_model.injections import INJECTIONS
from tests.language_model.model_server import held, opines, refuses, writes
from tests.leads.lives import removed
from tests.receiver import Answer
from tests.receiver_answers import resets
from tests.second_opinion.asking_house import UNCLEAR, URGENT, AskingHouse, rewritten, unclear


async def test_an_opinion_reaches_its_lead_with_follow_up_and_audit(house: AskingHouse) -> None:
    house.server.answer = opines("inquiry_price", 0.97)
    before = await house.say()
    row = await house.give()
    assert (row.state, row.intent_label, row.confidence_score, row.model) == ("answered", "inquiry_price", 0.97, "vua-du-dung")
    assert (row.applied, row.from_cache, row.last_failure, row.failures) == (True, False, None, 0)
    lead = await house.lead()
    # Not 0.97: an opinion nobody calibrated does not pass the person.
    assert (lead.intent_label, lead.priority, lead.confidence_score, lead.status) == ("inquiry_price", "high", 0.84, "new_draft")
    assert lead.meta["evidence"][-1] == {"rule": "language model", "start": 0, "end": len(UNCLEAR), "intent_label": "inquiry_price"}
    assert lead.meta[SECOND_OPINION] == {
        "model": "vua-du-dung",
        "intent_label": "inquiry_price",
        "confidence_score": 0.97,
        "prompt": "2026-11-22",
    }
    assert lead.meta["rule_pack"] == before.meta["rule_pack"]
    (follow_up,) = await house.follow_ups()
    assert follow_up.lead_id == lead.id
    assert b'"intent_label":"inquiry_price"' in bytes(follow_up.body).replace(b'": ', b'":')
    (event,) = await house.events()
    assert event == {
        "intent_label": "inquiry_price",
        "priority": "high",
        "confidence_score": 0.84,
        "status": "new_draft",
        "before": {
            "intent_label": "unknown",
            "priority": "medium",
            "confidence_score": before.confidence_score,
            "status": "new_escalate",
        },
        "said": {"intent_label": "inquiry_price", "confidence_score": 0.97},
        "model": "vua-du-dung",
        "prompt": "2026-11-22",
    }
    assert await house.calls() == [(1, 410, 17)]


@pytest.mark.parametrize(
    ("label", "confidence", "priority", "status"),
    [
        ("complaint", 1.0, "high", "new_draft"),
        ("complaint", 0.70, "high", "new_draft"),
        ("complaint", 0.69, "high", "new_escalate"),
        ("inquiry", 0.9, "medium", "new_draft"),
        ("spam", 1.0, "low", "new_draft"),
        ("thanks", 0.2, "low", "new_escalate"),
    ],
)
async def test_whatever_it_says_a_person_sees_the_lead(
    house: AskingHouse, label: str, confidence: float, priority: str, status: str
) -> None:
    house.server.answer = opines(label, confidence)
    await house.say()
    await house.give()
    lead = await house.lead()
    assert (lead.intent_label, lead.priority, lead.status) == (label, priority, status)
    assert len(await house.follow_ups()) == (priority == "high")


async def test_a_model_that_does_not_know_either_changes_nothing(house: AskingHouse) -> None:
    house.server.answer = opines("unknown", 0.99)
    before = await house.say()
    row = await house.give()
    assert (row.state, row.intent_label, row.applied) == ("answered", "unknown", False)
    assert await house.lead() == before
    assert await house.events() == []


async def test_what_leaves_is_the_masked_message_and_nothing_of_who_said_it(house: AskingHouse) -> None:
    lead = await house.say(f"{UNCLEAR}, số em 19001234567890", author_name="Kiều Mỹ Linh", author_id="u_508")
    await house.give()
    (question,) = house.server.questions
    assert question.message == f"{UNCLEAR}, số em <number>"
    whole = question.body.decode()
    for told in ("Kiều", "u_508", str(lead.id), str(house.tenant_id), "Hương Sen", "800100200300", "m_1"):
        assert told not in whole


@pytest.mark.parametrize("injection", [name for name in INJECTIONS if name != "half an emoji"])  # the door replaces those
async def test_an_obeyed_injection_is_at_worst_one_more_lead_before_a_person(house: AskingHouse, injection: str) -> None:
    house.server.answer = opines("purchase_intent", 1.0)
    await house.say(INJECTIONS[injection].replace("\0", "\ufffd"))
    row = await house.give()
    lead = await house.lead()
    assert (row.state, lead.status, lead.confidence_score) == ("answered", "new_draft", 0.84)


MOOT = {
    "decided": {"status": "confirmed"},
    "withdrawn": {"status": "withdrawn"},
    "understood": {"intent_label": "inquiry", "confidence_score": 0.75, "status": "new_draft"},
    "text_changed": {"content_text": "Chữ khác hẳn"},
    "nothing_to_see": {"content_text": "\u200b"},
}


@pytest.mark.parametrize("because", MOOT)
async def test_what_is_moot_is_given_up_and_nobody_is_asked(house: AskingHouse, because: str) -> None:
    lead = await house.say()
    await house.move(lead.id, **MOOT[because])
    if because == "nothing_to_see":
        async with house.engine.begin() as connection:
            await connection.execute(text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(house.tenant_id)})
            digest = hashlib.sha256("\u200b".encode()).digest()
            await connection.execute(text("UPDATE opinion_requests SET text_sha256 = :digest"), {"digest": digest})
    row = await house.give()
    assert (row.state, row.last_failure, row.intent_label) == ("given_up", because, None)
    assert house.server.questions == ()
    assert await house.calls() == []


@pytest.mark.parametrize("change", ["decided", "edited", "removed"])
async def test_who_is_quicker_than_the_model_wins(house: AskingHouse, change: str) -> None:
    gate = threading.Event()
    house.server.answer = held(gate, opines("complaint", 0.8))
    lead = await house.say()
    claim = await house.claim()
    giving = asyncio.create_task(house.give(claim))
    await asyncio.to_thread(house.server.wait_for, 1)
    if change == "decided":
        await house.move(lead.id, status="dismissed")
    else:
        await house.receive(rewritten("m_1", URGENT, minutes=3, label="inquiry_price") if change == "edited" else removed("m_1"))
    before = await house.lead()
    gate.set()
    row = await giving
    assert (row.state, row.intent_label, row.applied) == ("answered", "complaint", False)
    assert await house.lead() == before
    assert await house.events() == []


class Stumbles:
    """A model that breaks its contract."""

    name = "vap-nga"

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self, _: Prompt) -> Asked:
        self.asked += 1
        raise AssertionError("not a value")


async def test_a_model_that_raises_is_left_alone_like_one_that_fails(house: AskingHouse) -> None:
    house.model = model = Stumbles()
    await house.receive(*(unclear(f"m_{number}", f"{UNCLEAR} {number}") for number in range(FAILURES_TO_OPEN + 1)))
    *first, last = await house.claims()
    for claim in first:
        with pytest.raises(AssertionError, match="not a value"):
            await house.giver.give_opinion(claim)
    row = await house.give(last)
    assert (row.state, row.last_failure, model.asked) == ("pending", "model_away", FAILURES_TO_OPEN)


async def test_no_transaction_is_open_while_the_model_thinks(house: AskingHouse) -> None:
    gate = threading.Event()
    house.server.answer = held(gate, opines())
    await house.say()
    giving = asyncio.create_task(house.give())
    await asyncio.to_thread(house.server.wait_for, 1)
    others = "pid <> pg_backend_pid() AND datname = current_database() AND application_name = 'tests' AND xact_start IS NOT NULL"
    async with house.engine.connect() as connection:
        open_transactions = (await connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))).scalar_one()
    gate.set()
    await giving
    assert open_transactions == 0


@pytest.mark.parametrize(
    ("answer", "failure", "in_seconds"),
    [
        (refuses(500), "server_error", 30),
        (resets, "connection", 30),
        (refuses(429, "retry-after: 900"), "rate_limited", 930),
        (says_bytes(b"no"), "llm_invalid", 30),
    ],
)
async def test_what_may_pass_is_asked_again_later(house: AskingHouse, answer: Answer, failure: str, in_seconds: float) -> None:
    house.server.answer = [answer, opines("complaint", 0.8)]
    before = await house.say()
    row = await house.give()
    assert (row.state, row.last_failure, row.failures, row.attempts) == ("pending", failure, 1, 1)
    assert in_seconds - 5 < row.in_seconds <= in_seconds
    assert row.duration_ms >= 0
    assert await house.lead() == before
    await house.let_time_pass(hours=0.5)
    row = await house.give()
    assert (row.state, row.last_failure, row.applied) == ("answered", None, True)
    assert (await house.calls())[0][0] == 2


@pytest.mark.parametrize(
    ("answer", "failure", "tries"),
    [
        (refuses(500), "server_error", 4),
        (refuses(429, "retry-after: 999999"), "rate_limited", 4),
        (writes("complaint"), "llm_invalid", 2),
        (refuses(401), "key_refused", 1),
        (refuses(403), "key_refused", 1),
        (refuses(404), "not_found", 1),
        (refuses(400), "refused", 1),
    ],
)
async def test_nothing_is_asked_for_ever(house: AskingHouse, answer: Answer, failure: str, tries: int) -> None:
    house.server.answer = answer
    await house.say()
    waited_seconds = 0.0
    for _ in range(tries - 1):
        row = await house.give()
        assert row.state == "pending"
        waited_seconds += row.in_seconds
        await house.let_time_pass(hours=row.in_seconds / 3600 + 0.001)
        house.clock.now += 3600
    row = await house.give()
    assert (row.state, row.last_failure, row.failures) == ("given_up", failure, tries)
    assert len(house.server.questions) == tries
    assert waited_seconds < 6 * 3600
    assert (await house.lead()).intent_label == "unknown"


async def test_one_that_ends_its_worker_each_time_is_given_up(house: AskingHouse) -> None:
    await house.say()
    for _ in range(CRASH_LIMIT):
        await house.claim(lease_seconds=-1)
    row = await house.give()
    assert (row.state, row.last_failure) == ("given_up", "crashed")
    assert house.server.questions == ()


async def test_shadow_asks_and_records_and_changes_nothing(house: AskingHouse) -> None:
    house.set(LEAD_CLASSIFY_LLM_SHADOW="true")
    house.server.answer = opines("complaint", 0.9)
    before = await house.say()
    row = await house.give()
    assert (row.state, row.intent_label, row.confidence_score, row.applied) == ("answered", "complaint", 0.9, False)
    assert await house.lead() == before
    assert (await house.events(), await house.follow_ups()) == ([], [])
    assert await house.calls() == [(1, 410, 17)]


async def test_nothing_of_what_the_model_wrote_is_kept(house: AskingHouse, caplog: Any, capsys: Any) -> None:
    mark = "DAU-VET-cua-mo-hinh"
    house.server.answer = [writes(f"{mark} {UNCLEAR}"), refuses(400, message=f"{mark} {UNCLEAR}")]
    await house.say()
    await house.give()
    await house.let_time_pass(hours=1)
    row = await house.give()
    printed = capsys.readouterr()
    for place in (str(dict(row)), str(await house.lead()), caplog.text, printed.out, printed.err):
        assert mark not in place
    for place in (caplog.text, printed.out, printed.err):
        assert UNCLEAR not in place
