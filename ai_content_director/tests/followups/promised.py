"""Follow-ups owed in a database without any process around: leads opened and promised by the functions the door uses."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.new_id import new_id
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.follow_up import follow_ups
from lead_signals.intent.classify import classify
from lead_signals.leads.open_leads import LeadDraft, open_leads
from lead_signals.leads.promise_follow_ups import FollowUpPolicy, promise_follow_ups
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import URGENT


async def owe(engine: AsyncEngine, count: int) -> list[UUID]:
    """A fresh tenant to whom we owe that many follow-ups; their ids in the order they were promised."""
    tenant_id = (await onboard_tenant(engine, Onboarding(tenant_name="Nhà In Phố Cổ", industry="In ấn"))).tenant.id
    drafts = [_draft(number) for number in range(count)]
    async with tenant_session(engine, tenant_id) as session:
        opened = await open_leads(session, tenant_id, drafts)
        await promise_follow_ups(session, tenant_id, opened, FollowUpPolicy(operator_listens=True, console_base_url=None))
        ids = (await session.execute(follow_ups.select().with_only_columns(follow_ups.c.id).order_by(follow_ups.c.id))).scalars().all()
    assert len(ids) == count
    return list(ids)


async def owe_many(
    engine: AsyncEngine, count: int, *, endpoint_id: UUID = OPERATORS_ENDPOINT, due_ago: timedelta = timedelta(0), state: str = "pending"
) -> list[UUID]:
    """The same by two statements, for a queue of thousands: due that long ago (or in the future) at that endpoint, oldest first."""
    tenant_id = (await onboard_tenant(engine, Onboarding(tenant_name="Vựa Trái Cây Miệt Vườn", industry="Trái cây"))).tenant.id
    values = {"tenant_id": tenant_id, "count": count, "endpoint_id": endpoint_id, "due_ago": due_ago, "state": state, "text": URGENT}
    async with tenant_session(engine, tenant_id) as session:
        await session.execute(_MANY_LEADS, values)
        await session.execute(_MANY_FOLLOW_UPS, values)
        return list((await session.execute(select(follow_ups.c.id).order_by(follow_ups.c.due_at, follow_ups.c.id))).scalars())


_MANY_LEADS = text("""
    INSERT INTO lead_signals (tenant_id, id, platform, source_type, external_message_id, content_text, intent_label, priority,
        confidence_score, status)
    SELECT :tenant_id, gen_random_uuid(), 'facebook', 'comment', 'many_' || n, :text, 'inquiry_price', 'high', 0.9, 'new_auto'
    FROM generate_series(1, CAST(:count AS integer)) AS n""")
_MANY_FOLLOW_UPS = text("""
    INSERT INTO follow_ups (tenant_id, id, lead_id, endpoint_id, body, state, due_at)
    SELECT tenant_id, gen_random_uuid(), id, CAST(:endpoint_id AS uuid), convert_to('{}', 'UTF8'), CAST(:state AS text),
        now() - CAST(:due_ago AS interval) - row_number() OVER () * interval '1 microsecond'
    FROM lead_signals""")


def _draft(number: int) -> LeadDraft:
    return LeadDraft(
        receipt_id=new_id(),
        channel_external_id=None,
        platform="facebook",
        source_type="comment",
        source_subtype="mock",
        external_post_id="p_31",
        external_thread_id=None,
        external_message_id=f"owed_{number}",
        author_name="Đinh Thảo Vy",
        author_id="u_77",
        content_text=URGENT,
        permalink_url=None,
        verdict=classify(URGENT),
        meta={},
    )
