"""About which leads a question is owed, in which transaction, and that ordinary ones cost nothing."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.wake_up import listen_for_due_work
from lead_signals.leads.opinion_request import OPINION_WORK, opinion_requests
from lead_signals.leads.promise_follow_ups import FollowUpPolicy, follow_up_policy
from lead_signals.leads.request_opinions import text_sha256
from lead_signals.settings import read_settings
from lead_signals.tenancy.tenant_session import tenant_session
from tests.language_model.injections import INJECTIONS
from tests.leads.lives import Happening, happen, happen_in, hidden, removed, said, shown
from tests.second_opinion.asking_house import ASKING, UNCLEAR, URGENT, rewritten, unclear, urgent, verdict

ASKED = FollowUpPolicy(operator_listens=True, console_base_url=None, asks_model=True)
UNASKED = FollowUpPolicy(operator_listens=True, console_base_url=None)
UNCLEAR_TOO = "Dạ em chào chị, bữa nay bên em lại qua bên đó rồi"


async def owed(engine: AsyncEngine, tenant_id: UUID) -> list[tuple[str, bytes]]:
    async with tenant_session(engine, tenant_id) as session:
        rows = await session.execute(select(opinion_requests.c.state, opinion_requests.c.text_sha256).order_by(opinion_requests.c.id))
        return [(row.state, row.text_sha256) for row in rows]


async def receive(engine: AsyncEngine, tenant_id: UUID, *happenings: Happening, policy: FollowUpPolicy = ASKED) -> None:
    await happen(engine, tenant_id, *happenings, policy=policy)


@pytest.mark.parametrize(
    ("environment", "asks"),
    [
        ({}, False),
        (ASKING, True),
        (ASKING | {"OPENAI_API_KEY": ""}, False),
        (ASKING | {"OPENAI_MODEL": ""}, False),
        (ASKING | {"LEAD_CLASSIFY_USE_LLM": "false"}, False),
    ],
)
def test_a_model_is_asked_when_it_is_wanted_and_can_be(environment: dict[str, str], asks: bool) -> None:
    assert follow_up_policy(read_settings(environment)).asks_model is asks


async def test_an_unclear_lead_is_owed_one_question(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, unclear(), urgent("m_2"))
    await receive(engine, tenant_id, unclear())
    assert await owed(engine, tenant_id) == [("pending", text_sha256(UNCLEAR))]


async def test_without_a_model_nothing_is_owed(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, unclear(), policy=UNASKED)
    assert await owed(engine, tenant_id) == []


async def test_what_nobody_could_answer_is_not_asked(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(
        engine,
        tenant_id,
        unclear("m_1", ""),
        unclear("m_2", " \n "),
        unclear("m_3", source_type="lead_form"),
        unclear("m_4", meta={"field_data": [{"name": "email", "values": ["a@b.example"]}]}),
        unclear("m_5"),
        removed("m_5"),
        unclear("m_6", verdict=verdict(confidence=0.9)),  # the statistics are sure that nothing is wanted
    )
    assert await owed(engine, tenant_id) == []


async def test_no_injection_gets_a_model_to_look_at_what_the_rules_call_urgent(engine: AsyncEngine, tenant_id: UUID) -> None:
    texts = {name: f"{URGENT}. {injection}".replace("\0", "\ufffd").replace("\ud83d", "\ufffd") for name, injection in INJECTIONS.items()}
    judged = [said(name, text) for name, text in texts.items()]
    found_urgent = [draft for draft in judged if draft.verdict.priority == "high"]
    assert len(found_urgent) >= 20
    await receive(engine, tenant_id, *found_urgent)
    assert await owed(engine, tenant_id) == []


async def test_an_edit_is_another_question(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, urgent())
    await receive(engine, tenant_id, rewritten("m_1", UNCLEAR, minutes=1))
    await receive(engine, tenant_id, rewritten("m_1", UNCLEAR_TOO, minutes=2), rewritten("m_1", UNCLEAR_TOO, minutes=2))
    assert await owed(engine, tenant_id) == [("pending", text_sha256(UNCLEAR)), ("pending", text_sha256(UNCLEAR_TOO))]


async def test_an_edit_before_its_message_is_asked_as_it_reads_now(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, rewritten("m_1", UNCLEAR_TOO, minutes=2))
    assert await owed(engine, tenant_id) == []
    await receive(engine, tenant_id, unclear())
    assert await owed(engine, tenant_id) == [("pending", text_sha256(UNCLEAR_TOO))]


async def test_what_is_written_again_is_asked_again(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, unclear())
    async with tenant_session(engine, tenant_id) as session:
        given_up = {"state": "given_up", "finished_at": opinion_requests.c.created_at, "failures": 4, "last_failure": "timeout"}
        await session.execute(opinion_requests.update().values(**given_up))
    await receive(engine, tenant_id, rewritten("m_1", URGENT, minutes=1, label="inquiry_price"))
    await receive(engine, tenant_id, rewritten("m_1", UNCLEAR, minutes=2))
    assert await owed(engine, tenant_id) == [("pending", text_sha256(UNCLEAR))]


async def test_hiding_showing_and_an_edit_that_changes_no_word_ask_nothing(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, unclear(), policy=UNASKED)
    await receive(engine, tenant_id, hidden("m_1", minutes=1), rewritten("m_1", UNCLEAR, minutes=2))
    await receive(engine, tenant_id, shown("m_1", minutes=3))
    assert await owed(engine, tenant_id) == []


async def test_the_promise_commits_with_its_lead_and_wakes_the_worker(
    engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    stop, wake = asyncio.Event(), asyncio.Event()
    listening = asyncio.create_task(listen_for_due_work(database.app, {OPINION_WORK: wake}, stop=stop))
    await asyncio.wait_for(wake.wait(), 20)  # set once as soon as it listens
    wake.clear()
    async with tenant_session(engine, tenant_id) as session:
        await happen_in(session, tenant_id, [unclear()], policy=ASKED)
        await session.rollback()
    assert await owed(engine, tenant_id) == []
    await receive(engine, tenant_id, unclear())
    await asyncio.wait_for(wake.wait(), 20)
    stop.set()
    await listening


async def statements_of(engine: AsyncEngine, tenant_id: UUID, policy: FollowUpPolicy, message_id: str) -> Sequence[str]:
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        await receive(
            engine,
            tenant_id,
            urgent(message_id),
            said(f"{message_id}_too", "Cảm ơn shop nha", verdict=verdict("thanks", 0.9)),
            policy=policy,
        )
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
    return seen


async def test_ordinary_leads_cost_no_statement(engine: AsyncEngine, tenant_id: UUID) -> None:
    await statements_of(engine, tenant_id, ASKED, "m_0")  # the post they are about is new to the first
    asked = await statements_of(engine, tenant_id, ASKED, "m_1")
    unasked = await statements_of(engine, tenant_id, UNASKED, "m_2")
    assert len(asked) == len(unasked) > 0
    assert not any("opinion_requests" in statement for statement in asked)
