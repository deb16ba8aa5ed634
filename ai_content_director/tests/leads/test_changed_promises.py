"""Changes and what we owe: an edit may promise a follow-up and never cancels one; what was taken back is told to nobody."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import audit_events
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.intent.classify import classify
from lead_signals.leads.lead_list import Lead
from lead_signals.tenancy.tenant_session import tenant_session
from tests.leads.lives import FIRST_EDIT, SAID, SECOND_EDIT, UNHEARD, edited, happen, hidden, owed, removed, said, the_lead


async def test_an_edit_that_makes_a_lead_urgent_promises_its_follow_up_as_it_reads_now(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"))
    assert await owed(engine, await the_lead(engine, tenant_id, "a")) == []
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5))
    lead = await the_lead(engine, tenant_id, "a")
    (follow_up,) = await owed(engine, lead)
    body = orjson.loads(follow_up.body)
    verdict = classify(FIRST_EDIT)
    assert body == {
        "lead_id": str(lead.id),
        "tenant_id": str(tenant_id),
        "author_name": "Kiều Mỹ Linh",
        "author_id": "u_508",
        "content_text": FIRST_EDIT,
        "intent_label": "inquiry_price",
        "priority": "high",
        "confidence_score": verdict.confidence_score,
        "status": verdict.status,
        "platform": "facebook",
        "source_type": "comment",
        "external_post_id": "800100200300_7",
        "external_message_id": "a",
        "permalink_url": "https://www.facebook.com/800100200300/posts/7",
        "phones": ["+84912345678"],
        "emails": [],
        "created_at": body["created_at"],
        "console_url": f"https://leads.example.vn/?tenant_id={tenant_id}&lead={lead.id}",
    }
    await happen(engine, tenant_id, edited("a", SAID, minutes=6))
    assert await owed(engine, lead) == [follow_up], "an edit never cancels, and what was promised is not promised again"


async def test_a_lead_opened_after_its_edit_is_told_as_it_reads_now(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, edited("a", SECOND_EDIT, minutes=5))
    await happen(engine, tenant_id, said("a", FIRST_EDIT), said("b", FIRST_EDIT))
    (changed,) = await owed(engine, await the_lead(engine, tenant_id, "a"))
    (plain,) = await owed(engine, await the_lead(engine, tenant_id, "b"))
    assert orjson.loads(changed.body)["content_text"] == SECOND_EDIT
    assert orjson.loads(plain.body)["content_text"] == FIRST_EDIT


async def test_what_was_taken_back_before_it_came_is_promised_to_nobody(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, removed("a"))
    await happen(engine, tenant_id, said("a", FIRST_EDIT))
    await happen(engine, tenant_id, said("b", FIRST_EDIT), removed("b"))
    await happen(engine, tenant_id, edited("a", FIRST_EDIT + "!", minutes=5))
    for message_id in ("a", "b"):
        lead = await the_lead(engine, tenant_id, message_id)
        assert lead.status == "withdrawn"
        assert await owed(engine, lead) == []


async def test_hiding_an_old_lead_makes_nobody_call(engine: AsyncEngine, tenant_id: UUID) -> None:
    """It came while no receiver was configured; now there is one."""
    await happen(engine, tenant_id, said("a", FIRST_EDIT), policy=UNHEARD)
    await happen(engine, tenant_id, hidden("a", minutes=600))
    assert await owed(engine, await the_lead(engine, tenant_id, "a")) == []


async def test_without_a_receiver_an_edit_promises_nothing(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"), policy=UNHEARD)
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5), policy=UNHEARD)
    assert await owed(engine, await the_lead(engine, tenant_id, "a")) == []


@pytest.mark.parametrize("state", ["pending", "retrying"])
async def test_a_removal_cancels_what_is_owed(engine: AsyncEngine, tenant_id: UUID, state: str) -> None:
    await happen(engine, tenant_id, said("a", FIRST_EDIT))
    lead = await the_lead(engine, tenant_id, "a")
    await put_in_state(engine, lead, state=state)
    await happen(engine, tenant_id, removed("a"))
    (follow_up,) = await owed(engine, lead)
    assert follow_up.state == FollowUpState.CANCELLED
    assert follow_up.finished_at is not None
    assert await cancellations(engine, tenant_id) == [(follow_up.id, {"lead_id": str(lead.id), "while_delivering": False})]
    await happen(engine, tenant_id, removed("a"), edited("a", FIRST_EDIT + " ạ", minutes=60))
    assert await owed(engine, lead) == [follow_up], "and nothing brings it back"


async def test_a_removal_while_it_is_delivered_asks_for_the_end(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a", FIRST_EDIT))
    lead = await the_lead(engine, tenant_id, "a")
    await put_in_state(engine, lead, state="delivering", lease_until=lead.created_at)
    await happen(engine, tenant_id, removed("a"))
    (follow_up,) = await owed(engine, lead)
    assert (follow_up.state, follow_up.cancel_asked, follow_up.finished_at) == ("delivering", True, None)
    assert await cancellations(engine, tenant_id) == [(follow_up.id, {"lead_id": str(lead.id), "while_delivering": True})]


async def test_a_removal_leaves_what_was_delivered(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a", FIRST_EDIT))
    lead = await the_lead(engine, tenant_id, "a")
    await put_in_state(engine, lead, state="delivered", finished_at=lead.created_at)
    before = await owed(engine, lead)
    await happen(engine, tenant_id, removed("a"))
    assert await owed(engine, lead) == before
    assert await cancellations(engine, tenant_id) == []


async def put_in_state(engine: AsyncEngine, lead: Lead, **values: Any) -> None:
    async with tenant_session(engine, lead.tenant_id) as session:
        await session.execute(update(follow_ups).where(follow_ups.c.lead_id == lead.id).values(**values))


async def cancellations(engine: AsyncEngine, tenant_id: UUID) -> list[tuple[UUID, dict[str, Any]]]:
    async with tenant_session(engine, tenant_id) as session:
        rows = await session.execute(select(audit_events).where(audit_events.c.event_type == "FOLLOW_UP_CANCELLED"))
        return [(row.entity_id, row.detail) for row in rows if row.entity_type == "follow_up"]
