"""`GET /api/leads`: exactly the runbook's fields, newest first, a page at a time, one tenant's only."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.leads.lead_signal import LeadStatus, lead_signals
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import POLITE, UNCLEAR, URGENT, comment
from tests.intake.open_door import WEBHOOK, assert_refused, open_door
from tests.intake.page_deliveries import comment_change

FIELDS = [
    *("id", "tenant_id", "platform", "source_type", "source_subtype", "content_id", "external_post_id", "external_thread_id"),
    *("external_message_id", "author_name", "author_id", "content_text", "intent_label", "priority", "confidence_score", "status"),
    *("assignee", "follow_up_at", "last_contact_at", "meta", "created_at", "updated_at"),
]


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app) as client:
        yield client


async def send(client: httpx.AsyncClient, tenant_id: UUID, *entries: Any) -> list[str]:
    answer = await client.post(WEBHOOK, json={"object": "page", "entry": entries}, headers={"X-Tenant-ID": str(tenant_id)})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["lead_ids"])


async def listed(client: httpx.AsyncClient, tenant_id: UUID, **query: str | int) -> dict[str, Any]:
    answer = await client.get("/api/leads", params={"tenant_id": str(tenant_id), **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def entry(comment_id: str, message: str = URGENT) -> dict[str, Any]:
    return dict(comment(comment_id, message)["entry"][0])


async def test_a_lead_has_exactly_the_fields_of_the_runbook(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    (lead_id,) = await send(client, tenant_id, {"id": "710020003000", "changes": [comment_change("710_5", "Báo giá giúp em 0912 345 678")]})
    told = await listed(client, tenant_id)
    assert list(told) == ["tenant_id", "leads", "total"]
    assert (told["tenant_id"], told["total"]) == (str(tenant_id), 1)
    (lead,) = told["leads"]
    assert list(lead) == FIELDS
    said = {name: lead[name] for name in FIELDS if name not in {"content_id", "confidence_score", "meta", "created_at", "updated_at"}}
    assert said == {
        "id": lead_id,
        "tenant_id": str(tenant_id),
        "platform": "facebook",
        "source_type": "comment",
        "source_subtype": "comment",
        "external_post_id": "710020003000_881",
        "external_thread_id": "710_5",
        "external_message_id": "710_5",
        "author_name": "Lương Khánh Chi",
        "author_id": "5550001112223",
        "content_text": "Báo giá giúp em 0912 345 678",
        "intent_label": "inquiry_price",
        "priority": "high",
        "status": "new_auto",
        "assignee": None,
        "follow_up_at": None,
        "last_contact_at": None,
    }
    assert UUID(lead["content_id"]).version == 7
    assert 0.85 <= lead["confidence_score"] <= 1
    assert lead["meta"]["phones"] == ["+84912345678"]
    assert datetime.fromisoformat(lead["created_at"]).utcoffset() == timedelta(0)
    assert lead["updated_at"] == lead["created_at"]


async def test_newest_first_and_within_one_delivery_last_first(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    first = await send(client, tenant_id, entry("a"), entry("b"))
    second = await send(client, tenant_id, entry("c"), entry("0"))
    assert [lead["id"] for lead in (await listed(client, tenant_id))["leads"]] == [*second[::-1], *first[::-1]]


async def test_status_filters_and_total_counts_under_the_filter(client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID) -> None:
    ids = await send(client, tenant_id, *(entry(status.value) for status in LeadStatus), entry("once more"))
    async with tenant_session(engine, tenant_id) as session:
        for status in LeadStatus:
            await session.execute(
                update(lead_signals).where(lead_signals.c.external_message_id == status.value).values(status=status.value)
            )
        await session.execute(update(lead_signals).where(lead_signals.c.external_message_id == "once more").values(status="won"))
    assert (await listed(client, tenant_id))["total"] == len(ids)
    for status in LeadStatus:
        told = await listed(client, tenant_id, status=status.value)
        assert {lead["status"] for lead in told["leads"]} == {status.value}
        assert told["total"] == len(told["leads"]) == (2 if status is LeadStatus.WON else 1)


async def test_each_lane_is_where_the_product_says(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    await send(client, tenant_id, entry("urgent", URGENT), entry("unclear", UNCLEAR), entry("polite", POLITE))
    lanes = {lead["external_message_id"]: lead for lead in (await listed(client, tenant_id))["leads"]}
    assert (lanes["urgent"]["priority"], lanes["unclear"]["priority"], lanes["polite"]["priority"]) == ("high", "medium", "low")
    for lead in lanes.values():
        score = lead["confidence_score"]
        assert lead["status"] == ("new_auto" if score >= 0.85 else "new_draft" if score >= 0.70 else "new_escalate")


async def test_limit_and_offset_walk_over_every_lead_once(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    ids = await send(client, tenant_id, *(entry(f"c{number}") for number in range(205)))
    assert len((await listed(client, tenant_id))["leads"]) == 50
    assert len((await listed(client, tenant_id, limit=200))["leads"]) == 200
    walked = [lead["id"] for offset in range(0, 210, 30) for lead in (await listed(client, tenant_id, limit=30, offset=offset))["leads"]]
    assert walked == ids[::-1]
    for offset in (205, 1_000_000_000):
        beyond = await listed(client, tenant_id, offset=offset)
        assert (beyond["leads"], beyond["total"]) == ([], 205)
    assert [lead["id"] for lead in (await listed(client, tenant_id, limit=1, offset=204))["leads"]] == [ids[0]]


async def test_an_unknown_tenant_is_404_and_tells_which(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    stranger = str(uuid4())
    assert_refused(await client.get("/api/leads", params={"tenant_id": stranger}), 404, stranger, "POST /onboarding")


async def test_one_tenant_never_sees_another(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    other = (await client.post("/onboarding", json={"tenant_name": "Hàng xóm"})).json()["tenant"]["id"]
    await send(client, tenant_id, entry("c1"))
    assert (await listed(client, UUID(other)))["total"] == 0
    assert (await listed(client, UUID(other), status="new_auto", limit=200))["leads"] == []


async def test_a_browser_that_asks_wrongly_is_told_the_parameter_too(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    answer = await client.get("/api/leads", params={"tenant_id": str(tenant_id), "limit": "x"}, headers={"accept": "text/html"})
    assert (answer.status_code, answer.json()["problems"][0]["parameter"]) == (422, "limit")


async def test_other_methods_are_refused(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert_refused(await client.request(method, "/api/leads", params={"tenant_id": str(tenant_id)}), 405)


async def test_an_integrators_description_names_the_parameters_and_the_answer(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    operation = described["paths"]["/api/leads"]["get"]
    assert {parameter["name"] for parameter in operation["parameters"]} == {"tenant_id", "status", "limit", "offset"}
    assert list(described["components"]["schemas"]["Lead"]["properties"]) == FIELDS
