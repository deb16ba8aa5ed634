"""The operator's first proof: the three things the runbook promises, on a real PostgreSQL through the real HTTP door."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import audit_events
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.http_app import make_app
from lead_signals.leads.content_item import content_items
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.settings import read_settings
from lead_signals.tenancy.tenant_session import tenant_session


@pytest.fixture
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(database.app, read_settings({}))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def mock_delivery(comment_id: str, message: str = "Cho tôi báo giá gói Enterprise") -> dict[str, Any]:
    entry = {"message": message, "sender_name": "Nguyễn Hải Yến", "sender_id": "u1", "post_id": "p1", "comment_id": comment_id}
    return {"object": "page", "entry": [entry]}


async def test_lead_signals_insert_count_and_join(client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID) -> None:
    for comment_id, message in (("c1", "Cho tôi báo giá gói Enterprise"), ("c2", "Tôi cần tư vấn"), ("c3", "...")):
        await client.post("/webhooks/facebook", json=mock_delivery(comment_id, message), headers={"X-Tenant-ID": str(tenant_id)})

    async with tenant_session(engine, tenant_id) as session:
        by_status = await session.execute(
            text(
                "SELECT status, COUNT(*) AS cnt FROM lead_signals WHERE tenant_id = :tenant_id AND created_at >= :since"
                " GROUP BY status ORDER BY cnt DESC;"
            ),
            {"tenant_id": tenant_id, "since": (await session.execute(text("SELECT now() - interval '1 day'"))).scalar_one()},
        )
        by_intent = await session.execute(
            text(
                "SELECT intent_label, COUNT(*) AS cnt FROM lead_signals WHERE tenant_id = :tenant_id AND created_at >= :since"
                " GROUP BY intent_label ORDER BY cnt DESC;"
            ),
            {"tenant_id": tenant_id, "since": (await session.execute(text("SELECT now() - interval '1 day'"))).scalar_one()},
        )
        assert sum(row.cnt for row in by_status) == 3
        assert {row.intent_label: row.cnt for row in by_intent} == {"inquiry_price": 1, "contact_request": 1, "unknown": 1}
        joined = await session.execute(
            select(lead_signals.c.external_message_id, content_items.c.external_post_id).join(
                content_items,
                (content_items.c.tenant_id == lead_signals.c.tenant_id) & (content_items.c.id == lead_signals.c.content_id),
            )
        )
        assert {tuple(row) for row in joined} == {("c1", "p1"), ("c2", "p1"), ("c3", "p1")}


async def test_webhook_facebook_and_get_leads(client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID) -> None:
    answer = await client.post("/webhooks/facebook", json=mock_delivery("c1"), headers={"X-Tenant-ID": str(tenant_id)})
    assert answer.status_code == 200
    lead_id = answer.json()["lead_ids"][0]
    assert answer.json() == {"ok": True, "created": 1, "lead_ids": [lead_id]}

    listed = (await client.get("/api/leads", params={"tenant_id": str(tenant_id), "status": "new_auto"})).json()
    assert (listed["tenant_id"], listed["total"]) == (str(tenant_id), 1)
    lead = listed["leads"][0]
    assert lead["id"] == lead_id
    assert (lead["intent_label"], lead["priority"], lead["status"]) == ("inquiry_price", "high", "new_auto")
    assert lead["confidence_score"] >= 0.85
    assert (lead["author_name"], lead["author_id"], lead["external_post_id"]) == ("Nguyễn Hải Yến", "u1", "p1")

    async with tenant_session(engine, tenant_id) as session:
        events = (await session.execute(select(audit_events.c.event_type, audit_events.c.actor, audit_events.c.entity_id))).all()
    assert [tuple(event) for event in events] == [("LEAD_SIGNAL_CREATED", "SYSTEM", UUID(lead_id))]


async def test_webhook_dedup(client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID) -> None:
    comment_id = uuid4().hex
    first = (await client.post("/webhooks/facebook", json=mock_delivery(comment_id), headers={"X-Tenant-ID": str(tenant_id)})).json()
    second = (await client.post("/webhooks/facebook", json=mock_delivery(comment_id), headers={"X-Tenant-ID": str(tenant_id)})).json()
    assert (first["created"], second["created"], second["lead_ids"]) == (1, 0, [])

    async with tenant_session(engine, tenant_id) as session:
        leads = (await session.execute(select(func.count()).select_from(lead_signals))).scalar_one()
        events = (await session.execute(select(func.count()).select_from(audit_events))).scalar_one()
    assert (leads, events) == (1, 1)
