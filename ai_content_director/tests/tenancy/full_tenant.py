"""A tenant with at least one row in every table that can hold one, so that a wall has something to hide."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.channel_check import promise_check
from lead_signals.connections.channel_hour import channel_hours
from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.oversight.receipt import follow_up_receipts
from lead_signals.leads.opinion_request import opinion_requests
from lead_signals.rule_packs.stored_pack import rule_pack_turns, rule_packs
from lead_signals.second_opinion.opinion_answer import opinion_answers
from lead_signals.second_opinion.opinion_day import opinion_days
from lead_signals.tenancy.api_key import make_api_key
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session
from tests.deliveries import comment
from tests.intake.open_door import WEBHOOK, fetch, open_door
from tests.intake.page_deliveries import comment_change, page_entry


async def full_tenant(engine: AsyncEngine, app_address: str, name: str) -> UUID:
    """Onboard a tenant and fill it through the real door where there is one."""
    tenant_id = (await onboard_tenant(engine, Onboarding(tenant_name=name))).tenant.id
    page = str(tenant_id.int)[:15]
    async with open_door(app_address, WEBHOOK_URL="https://n8n.example/webhook") as client:
        body = comment("c1")
        edit = comment_change("c2", f"{name}: cho tôi báo giá gấp")
        edit["value"] |= {"verb": "edited", "created_time": 1_763_799_995}
        form = {"field": "leadgen", "value": {"leadgen_id": "f1", "page_id": page, "form_id": "71", "created_time": 1_763_799_000}}
        entry = page_entry(page, ("c2", f"{name}: cho tôi báo giá"))
        entry["changes"] += [edit, form]
        body["entry"] += [entry, "a strange entry"]
        answer = await client.post(WEBHOOK, json=body, headers={"X-Tenant-ID": str(tenant_id)})
        assert answer.json()["created"] == 3
    async with tenant_session(engine, tenant_id) as session:
        channel_id = await connect_channel(session, tenant_id, platform="facebook", external_id=page)
        await promise_check(session, tenant_id, channel_id, due_in=timedelta(days=1))
        await make_api_key(session, tenant_id, "Cầu nối CRM")
        await _happened_later(session, tenant_id, channel_id)
    return tenant_id


async def _happened_later(session: TenantSession, tenant_id: UUID, channel_id: UUID) -> None:
    """What a worker writes down after an hour."""
    hour = {"channel_id": channel_id, "hour": func.date_trunc("hour", func.now()), "deliveries": 3}
    await session.execute(insert(channel_hours).values(tenant_id=tenant_id, **hour))
    follow_up_id = (await session.execute(select(follow_ups.c.id).limit(1))).scalar_one()
    attempt = {"follow_up_id": follow_up_id, "attempt": 1, "duration_ms": 3, "outcome": "try_again"}
    await session.execute(insert(delivery_attempts).values(tenant_id=tenant_id, started_at=func.now(), **attempt))
    endpoint = {"id": new_id(), "kind": "slack", "name": "Sales", "sealed_address": b"\2", "shown_address": "https://hooks.example/…"}
    await session.execute(insert(follow_up_endpoints).values(tenant_id=tenant_id, **endpoint))
    receipt = {"follow_up_id": follow_up_id, "receipt_key": "rcpt_1", "status": "accepted"}
    await session.execute(insert(follow_up_receipts).values(tenant_id=tenant_id, **receipt))
    await session.execute(insert(rule_packs).values(tenant_id=tenant_id, version=1, content="rules: []"))
    await session.execute(insert(rule_pack_turns).values(tenant_id=tenant_id, turn=1, version=1))
    lead_id = (await session.execute(select(follow_ups.c.lead_id).limit(1))).scalar_one()
    question = {"id": new_id(), "lead_id": lead_id, "text_sha256": b"\0" * 32}
    await session.execute(insert(opinion_requests).values(tenant_id=tenant_id, **question))
    answer = {"question_sha256": b"\1" * 32, "intent_label": "inquiry", "confidence_score": 0.7, "model": "mẫu-thử"}
    await session.execute(insert(opinion_answers).values(tenant_id=tenant_id, **answer))
    await session.execute(insert(opinion_days).values(tenant_id=tenant_id, day=func.current_date(), calls=1))


async def walled_tables(owner_address: str) -> dict[str, str]:
    """Every table that holds rows of a tenant, and the column that says whose: read from the catalogue, so that a new one counts."""
    rows = await fetch(
        owner_address,
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'",
    )
    walled = {row["table_name"]: "tenant_id" for row in rows} | {"tenants": "id"}
    assert walled.keys() >= {name for name, table in metadata.tables.items() if "tenant_id" in table.c}
    return walled
