"""What is owed for which lead: the promise of look-ups, with nobody asked yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.look_up import look_ups, make_due
from lead_signals.leads.open_leads import LeadDraft, OpenedLead, open_leads
from lead_signals.leads.request_look_ups import request_look_ups
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session
from tests.enrichment.house import LEADGEN_ID, NAME, PSID, form, message, said, somebody_waits_for_a_lock
from tests.graph_api.graph_stand_in import PAGE_ID
from tests.waiting import wait_until_async

WITH_TOKEN = {("facebook", PAGE_ID), ("instagram", "17800000000000001")}


async def receive(engine: AsyncEngine, tenant_id: UUID, *drafts: LeadDraft) -> list[OpenedLead]:
    async with tenant_session(engine, tenant_id) as session:
        return await receive_in(session, tenant_id, *drafts)


async def receive_in(session: TenantSession, tenant_id: UUID, *drafts: LeadDraft) -> list[OpenedLead]:
    return await request_look_ups(session, tenant_id, await open_leads(session, tenant_id, drafts), WITH_TOKEN)


async def owed(engine: AsyncEngine, tenant_id: UUID) -> Sequence[tuple[str, str, str, str, str]]:
    columns = [look_ups.c[name] for name in ("kind", "platform", "channel_external_id", "subject_id", "state")]
    async with tenant_session(engine, tenant_id) as session:
        return [tuple(row) for row in await session.execute(select(*columns).order_by(*columns))]


async def settle_all(engine: AsyncEngine, tenant_id: UUID, state: str, days_ago: float, found_name: str | None = None) -> None:
    """As if every look-up had ended so, that long ago."""
    at = func.now() - func.make_interval(0, 0, 0, days_ago)
    found_at = at if state == "found" else None
    async with tenant_session(engine, tenant_id) as session:
        await session.execute(
            update(look_ups).values(state=state, finished_at=at, found_at=found_at, found_name=found_name, failures=3, attempts=3)
        )


async def names_of_leads(engine: AsyncEngine, tenant_id: UUID) -> dict[str, str | None]:
    async with tenant_session(engine, tenant_id) as session:
        rows = await session.execute(select(lead_signals.c.external_message_id, lead_signals.c.author_name))
        return {row.external_message_id: row.author_name for row in rows}


async def test_each_form_and_each_sender_is_owed_once(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, form(), message("m_1"), message("m_2"), message("m_3", source_type="postback"))
    await receive(engine, tenant_id, form(), message("m_1"), message("m_4"))
    assert await owed(engine, tenant_id) == [
        ("lead_form", "facebook", PAGE_ID, LEADGEN_ID, "pending"),
        ("sender_name", "facebook", PAGE_ID, PSID, "pending"),
    ]


async def test_a_form_is_owed_before_there_is_a_token_and_a_name_is_not(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, form(channel_external_id="700000000000009"), message("m_1", channel_external_id="700000000000009"))
    assert [row[0] for row in await owed(engine, tenant_id)] == ["lead_form"]


@pytest.mark.parametrize("place", [{}, {"platform": "zalo"}, {"channel_external_id": None}])
async def test_answers_that_came_along_are_owed_to_the_lead_wherever_they_came_from(
    engine: AsyncEngine, tenant_id: UUID, place: dict[str, Any]
) -> None:
    await receive(engine, tenant_id, form(meta={"field_data": [{"name": "email", "values": ["a@b.example"]}]}, **place))
    assert [(row[0], row[3], row[4]) for row in await owed(engine, tenant_id)] == [("lead_form", LEADGEN_ID, "pending")]


@pytest.mark.parametrize(
    "draft",
    [
        pytest.param(form(platform="zalo"), id="a form of another house"),
        pytest.param(form(channel_external_id=None), id="no channel, no token ever"),
        pytest.param(form(external_message_id=None), id="no id to ask by"),
        pytest.param(message("m_1", author_name="Cô Tuyết"), id="the name came along"),
        pytest.param(message("m_1", author_id=None), id="nobody to ask about"),
        pytest.param(message("m_1", channel_external_id=None), id="no channel"),
        pytest.param(said("Giá sao shop", "c_1", source_type="comment"), id="a comment"),
        pytest.param(message("m_1", platform="whatsapp"), id="another platform"),
        pytest.param(message("m_1", platform="instagram"), id="the token is another platform's"),
    ],
)
async def test_nothing_is_owed_for(engine: AsyncEngine, tenant_id: UUID, draft: LeadDraft) -> None:
    opened = await receive(engine, tenant_id, draft)
    assert (len(opened), await owed(engine, tenant_id)) == (1, [])


async def test_an_instagram_sender_is_asked_about_at_their_own_channel(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, message("m_1", platform="instagram", channel_external_id="17800000000000001"))
    assert await owed(engine, tenant_id) == [("sender_name", "instagram", "17800000000000001", PSID, "pending")]


async def test_a_known_name_is_put_on_a_new_lead_and_told_to_its_follow_up(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, message("m_1"))
    await settle_all(engine, tenant_id, "found", days_ago=29, found_name=NAME)
    other, known = await receive(engine, tenant_id, message("m_0", author_id="5550000000000018"), message("m_2"))
    assert (known.draft.author_name, other.draft.author_name) == (NAME, None)
    assert await names_of_leads(engine, tenant_id) == {"m_0": None, "m_1": None, "m_2": NAME}
    assert [row[4] for row in await owed(engine, tenant_id)] == ["found", "pending"]


@dataclass(frozen=True)
class Earlier:
    """How the last look-up for a sender ended, and what a new message of theirs makes of it."""

    state: str
    name: str | None
    days_ago: float
    afterwards: str


@pytest.mark.parametrize(
    "earlier",
    [
        Earlier("found", NAME, 29, "found"),
        Earlier("found", NAME, 31, "pending"),
        Earlier("given_up", None, 29, "given_up"),
        Earlier("given_up", None, 31, "pending"),
        Earlier("given_up", NAME, 31, "pending"),
    ],
    ids=str,
)
async def test_a_sender_is_asked_about_again_after_a_month(engine: AsyncEngine, tenant_id: UUID, earlier: Earlier) -> None:
    await receive(engine, tenant_id, message("m_1"))
    await settle_all(engine, tenant_id, earlier.state, earlier.days_ago, earlier.name)
    (lead,) = await receive(engine, tenant_id, message("m_2"))
    assert lead.draft.author_name == earlier.name
    async with tenant_session(engine, tenant_id) as session:
        row = (await session.execute(select(look_ups))).one()
    assert (row.state, row.found_name, row.failures) == (earlier.afterwards, earlier.name, 0 if earlier.afterwards == "pending" else 3)


async def test_a_form_is_not_asked_for_again_because_it_was_delivered_again(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, form())
    await settle_all(engine, tenant_id, "given_up", days_ago=31)
    await receive(engine, tenant_id, form())
    assert [row[4] for row in await owed(engine, tenant_id)] == ["given_up"]


async def test_many_leads_keep_their_order_and_cost_a_few_statements(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(engine, tenant_id, *(message(f"m_{number}", author_id=f"5550000000{number:06}") for number in range(300)))
    await settle_all(engine, tenant_id, "found", days_ago=1, found_name=NAME)
    drafts = [message(f"n_{number}", author_id=f"5550000000{(number * 7) % 600:06}") for number in range(600)]
    opened = await receive(engine, tenant_id, *drafts)
    assert [lead.draft.external_message_id for lead in opened] == [draft.external_message_id for draft in drafts]
    assert sum(lead.draft.author_name == NAME for lead in opened) == 300
    assert len(await owed(engine, tenant_id)) == 600


async def test_two_batches_with_the_same_senders_do_not_deadlock(engine: AsyncEngine, tenant_id: UUID) -> None:
    """Both take what they share in one order, however their leads were ordered: who waits holds nothing the other still wants."""
    first, second = "5550000000000001", "5550000000000002"
    async with tenant_session(engine, tenant_id) as session:
        await receive_in(session, tenant_id, message("a_1", author_id=first))
        other = asyncio.create_task(receive(engine, tenant_id, message("b_2", author_id=second), message("b_1", author_id=first)))
        await wait_until_async(lambda: somebody_waits_for_a_lock(engine), "the other batch waited for us")
        await receive_in(session, tenant_id, message("a_2", author_id=second))
    assert len(await other) == 2
    assert [row[3] for row in await owed(engine, tenant_id)] == [first, second]


async def test_a_new_token_makes_due_what_waits_and_what_was_given_up_lately(engine: AsyncEngine, tenant_id: UUID) -> None:
    await receive(
        engine,
        tenant_id,
        *(form(f"444000000000010{number}") for number in range(5)),
        form("4440000000000199", channel_external_id="700000000000009"),
    )
    ends = {
        "4440000000000100": "due_at = now() + interval '6 hours', failures = 4, attempts = 4, last_failure = 'no_token'",
        "4440000000000101": "state = 'given_up', finished_at = now(), last_failure = 'not_found'",
        "4440000000000102": "state = 'given_up', finished_at = now(), created_at = now() - interval '91 days'",
        "4440000000000103": "state = 'found', finished_at = now(), found_at = now()",
        "4440000000000104": "state = 'looking', lease_until = now() + interval '1 hour'",
        "4440000000000199": "due_at = now() + interval '6 hours'",
    }
    async with tenant_session(engine, tenant_id) as session:
        for subject, change in ends.items():
            await session.execute(text(f"UPDATE look_ups SET {change} WHERE subject_id = :subject"), {"subject": subject})
    async with tenant_session(engine, tenant_id) as session:
        assert await make_due(session, tenant_id, platform="facebook", channel_external_id=PAGE_ID) == 2
    async with tenant_session(engine, tenant_id) as session:
        due = look_ups.c.due_at <= func.now()
        rows = await session.execute(
            select(look_ups.c.subject_id, look_ups.c.state, look_ups.c.failures, due).order_by(look_ups.c.subject_id)
        )
        assert [tuple(row) for row in rows][:2] == [("4440000000000100", "pending", 0, True), ("4440000000000101", "pending", 0, True)]
        states = {row.subject_id: row.state for row in await session.execute(select(look_ups.c.subject_id, look_ups.c.state))}
    assert [states[subject] for subject in list(ends)[2:]] == ["given_up", "found", "looking", "pending"]
