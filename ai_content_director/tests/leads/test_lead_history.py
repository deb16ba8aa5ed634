"""`GET /api/leads/{id}/history`: what a lead said, from its first words to its last edit, one tenant's only."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.error_answers import answer_errors
from lead_signals.intent.classify import classify
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_routes import EDITS_MOST, lead_routes
from lead_signals.leads.message_history import changes_of
from lead_signals.leads.message_versions import versions_of_leads
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.leads.hostile_texts import HOSTILE_TEXTS
from tests.leads.lives import FIRST_EDIT, MONDAY, SAID, SECOND_EDIT, edited, happen, hidden, removed, said, the_lead

FIELDS = [
    *("kind", "content_text", "intent_label", "priority", "confidence_score", "status", "rule_pack", "phones", "emails", "evidence"),
    *("said_at", "received_at"),
]


@pytest.fixture
async def client(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(lead_routes(engine))
    answer_errors(app, {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def versions(client: httpx.AsyncClient, lead: Lead) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/leads/{lead.id}/history", params={"tenant_id": str(lead.tenant_id)})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert list(told) == ["tenant_id", "lead_id", "versions"]
    assert (told["tenant_id"], told["lead_id"]) == (str(lead.tenant_id), str(lead.id))
    return list(told["versions"])


async def test_every_version_is_told_with_its_verdict_and_its_times(
    client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID
) -> None:
    await happen(engine, tenant_id, said("a"), hidden("a", minutes=1))
    await happen(engine, tenant_id, edited("a", SECOND_EDIT, minutes=9))
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5), removed("a"))
    lead = await the_lead(engine, tenant_id, "a")
    told = await versions(client, lead)
    assert [list(version) for version in told] == [FIELDS] * 3
    assert [version["kind"] for version in told] == ["original", "edited", "edited"]
    for version, text, minutes in zip(told, (SAID, FIRST_EDIT, SECOND_EDIT), (0, 5, 9), strict=True):
        verdict = KeptVerdict.of(classify(text)).as_json()
        assert {name: version[name] for name in verdict} == verdict
        assert version["content_text"] == text
        assert datetime.fromisoformat(version["said_at"]) == MONDAY + timedelta(minutes=minutes)
        assert datetime.fromisoformat(version["received_at"]).utcoffset() == timedelta(0)
    assert datetime.fromisoformat(told[0]["received_at"]) == lead.created_at


async def test_a_lead_nobody_edited_has_one_version(client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a", FIRST_EDIT, meta={}), removed("a"), hidden("a", minutes=1))
    (version,) = await versions(client, await the_lead(engine, tenant_id, "a"))
    assert (version["kind"], version["content_text"], version["said_at"]) == ("original", FIRST_EDIT, None)
    assert version["phones"] == ["+84912345678"]
    assert version["status"] == classify(FIRST_EDIT).status, "the lane it was read into, wherever it stands now"


async def test_the_newest_edits_and_the_first_words_are_told_of_a_lead_edited_very_often(
    client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID
) -> None:
    await happen(engine, tenant_id, said("a"))
    edits = [edited("a", f"Giá bao nhiêu, hỏi lần {number}", minutes=number) for number in range(EDITS_MOST + 20)]
    await happen(engine, tenant_id, *edits)
    told = await versions(client, await the_lead(engine, tenant_id, "a"))
    assert [version["content_text"] for version in told] == [SAID, *(edit.content_text for edit in edits[20:])]


async def test_versions_stand_in_the_order_in_which_they_are_folded(engine: AsyncEngine, tenant_id: UUID) -> None:
    """The database orders one, Python the other, ties and missing times included."""
    texts = ["a", "B", "á", "Z", "z", "ạ", "đ", "\U0001f600", "\uff21", "1", " 1", "A"]
    edits = [edited("a", text, minutes=minutes, sequence=sequence) for text in texts for minutes in (None, 3, 1) for sequence in (0, 2)]
    await happen(engine, tenant_id, said("a"), *edits)
    lead = await the_lead(engine, tenant_id, "a")
    async with tenant_session(engine, tenant_id) as session:
        folded = (await changes_of(session, tenant_id, [("facebook", "a")]))["facebook", "a"]
        told = (await versions_of_leads(session, tenant_id, [lead], most_edits=100))[lead.id]
        cut = (await versions_of_leads(session, tenant_id, [lead], most_edits=4, most_characters=1))[lead.id]
    in_order = [(change.content_text, change.changed_at) for change in folded]
    assert len(in_order) == 1 + len(edits)
    assert [(version.content_text, version.said_at) for version in told] == in_order
    assert [version.content_text for version in cut] == [(text or "")[:1] for text, _ in (in_order[0], *in_order[-4:])]
    assert lead.content_text == in_order[-1][0]


async def test_versions_of_several_leads_are_kept_apart(engine: AsyncEngine, tenant_id: UUID) -> None:
    """The platform of one and the id of another make a third message, which is none of them."""
    await happen(engine, tenant_id, said("a"), said("b", platform="zalo"), said("b"), said("c", external_message_id=None))
    await happen(
        engine, tenant_id, edited("a", "A!", minutes=1), edited("b", "Zalo!", minutes=1, platform="zalo"), edited("b", "B!", minutes=1)
    )
    a, b = await the_lead(engine, tenant_id, "a"), await the_lead(engine, tenant_id, "b", "zalo")
    async with tenant_session(engine, tenant_id) as session:
        told = await versions_of_leads(session, tenant_id, [a, b], most_edits=5)
    assert {lead_id: [version.content_text for version in some] for lead_id, some in told.items()} == {
        a.id: [SAID, "A!"],
        b.id: [SAID, "Zalo!"],
    }


async def test_a_stranger_s_lead_an_unknown_lead_and_an_unknown_tenant_are_not_there(
    client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID
) -> None:
    await happen(engine, tenant_id, said("a"))
    lead = await the_lead(engine, tenant_id, "a")
    other = (await onboard_tenant(engine, Onboarding(tenant_name="Hàng xóm"))).tenant.id
    for asked_tenant, asked_lead, words in (
        (other, lead.id, lead.id),
        (tenant_id, uuid4(), "has no lead"),
        (uuid4(), lead.id, "no tenant"),
    ):
        answer = await client.get(f"/api/leads/{asked_lead}/history", params={"tenant_id": str(asked_tenant)})
        assert answer.status_code == 404
        assert str(words) in answer.json()["error"]
        assert SAID not in answer.text


async def test_bad_ids_are_named(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    for path, query, parameter in (("x", {"tenant_id": str(tenant_id)}, "lead_id"), (str(uuid4()), {}, "tenant_id")):
        answer = await client.get(f"/api/leads/{path}/history", params=query)
        assert (answer.status_code, answer.json()["problems"][0]["parameter"]) == (422, parameter)


async def test_hostile_texts_are_told_as_they_came(client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID) -> None:
    texts = [text for text in HOSTILE_TEXTS if text.encode("utf-8", "replace").decode() == text]
    await happen(engine, tenant_id, said("a", texts[0]))
    await happen(engine, tenant_id, *(edited("a", text, minutes=number) for number, text in enumerate(texts[1:], start=1)))
    told = await versions(client, await the_lead(engine, tenant_id, "a"))
    assert [version["content_text"] for version in told] == texts
