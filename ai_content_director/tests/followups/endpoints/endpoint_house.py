"""A house whose tenants have endpoints: its database, its settings, a receiver on loopback, and the product's verbs done to them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.audit.audit_event import audit_events
from lead_signals.database.new_id import new_id
from lead_signals.followups.destinations.outbound import open_outbound
from lead_signals.followups.endpoints.add_endpoint import AddedEndpoint, add_endpoint
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, follow_up_endpoints
from lead_signals.followups.endpoints.endpoint_wish import EndpointWish, RotationWish
from lead_signals.followups.endpoints.known_endpoints import KnownEndpoints
from lead_signals.followups.endpoints.rotate_secret import RotatedSecret, rotate_secret
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.request import FollowUpRequest
from lead_signals.followups.request_follow_ups import request_follow_ups
from lead_signals.intent.classify import classify
from lead_signals.leads.open_leads import LeadDraft, open_leads
from lead_signals.settings import Settings, read_settings
from lead_signals.strict_wish import read_wish
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session
from tests.deliveries import URGENT
from tests.intake.open_door import execute, fetch
from tests.receiver import Receiver

SEALING_KEY = "mK2s0c3Yq9hXv7oJt1nUe5wRz8bDf4gLi6pAaQxTyE0="
OLDER_KEY = "Zt0Xg5hQb8vNc2mKe7sPa4rLd9wUy1iOf6jTq3xBzAE="
GIVEN_SECRET = "whsec_bW90IGtob2EgZG8ga2hhY2ggdHUgZGF0IHJhIG5oZQ=="
OPERATORS_SECRET = "whsec_bWF5IGtodSB2dW9uIHRoZW0gbW90IGNhaSBjdWE="
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EndpointHouse:
    """One tenant among others; what is not said otherwise is done for it, with the settings of all."""

    engine: AsyncEngine
    owner: str
    settings: Settings
    tenant: UUID
    receiver: Receiver

    async def add(self, whose: UUID | None = None, *, settings: Settings | None = None, **changes: Any) -> AddedEndpoint:
        """Add an endpoint, a webhook at the receiver unless told otherwise."""
        told = {"tenant_id": whose or self.tenant, "kind": "webhook", "name": "n8n", "address": self.receiver.url, **changes}
        return await add_endpoint(self.engine, settings or self.settings, read_wish(EndpointWish, told), now=clock.now())

    async def rotate(self, endpoint_id: UUID, whose: UUID | None = None, *, now: datetime = NOW, **told: Any) -> RotatedSecret:
        """Give it a new secret."""
        wish = read_wish(RotationWish, told)
        return await rotate_secret(self.engine, self.settings, whose or self.tenant, endpoint_id, wish, now=now)

    async def neighbour(self, name: str = "Thép Bắc Hà") -> UUID:
        """Another tenant."""
        return (await onboard_tenant(self.engine, Onboarding(tenant_name=name))).tenant.id

    def with_settings(self, **changes: str) -> Settings:
        """The settings with some variables changed; an empty text unsets one."""
        return read_settings({**environment(), **changes})

    async def promise(self, count: int, whose: UUID | None = None, *, operator_listens: bool = True) -> list[UUID]:
        """Owe that many leads to whoever listens for the tenant; the ids of the follow-ups, by endpoint and age."""
        tenant_id = whose or self.tenant
        async with tenant_session(self.engine, tenant_id) as session:
            return await self.promise_within(session, tenant_id, count, operator_listens=operator_listens)

    async def promise_within(self, session: TenantSession, tenant_id: UUID, count: int, *, operator_listens: bool = True) -> list[UUID]:
        """The same in a transaction that goes on."""
        opened = await open_leads(session, tenant_id, [_draft() for _ in range(count)])
        requests = [_request(tenant_id, lead.id) for lead in opened]
        await request_follow_ups(session, tenant_id, requests, operator_listens=operator_listens)
        of_these = select(follow_ups.c.id).where(follow_ups.c.lead_id.in_([lead.id for lead in opened]))
        return list((await session.execute(of_these.order_by(follow_ups.c.endpoint_id, follow_ups.c.id))).scalars())

    async def row(self, endpoint_id: UUID) -> Row[Any]:
        """An endpoint as it lies in its table, removed or not."""
        async with tenant_session(self.engine, self.tenant) as session:
            return (await session.execute(select(follow_up_endpoints).where(follow_up_endpoints.c.id == endpoint_id))).one()

    async def states(self, endpoint_id: UUID = OPERATORS_ENDPOINT) -> list[str]:
        """The states of what is owed there, by age."""
        rows = await self.fetch(
            "SELECT state FROM follow_ups WHERE tenant_id = $1 AND endpoint_id = $2 ORDER BY id", self.tenant, endpoint_id
        )
        return [row["state"] for row in rows]

    async def audited(self, whose: UUID | None = None) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, actor and detail of what happened to the tenant's endpoints, in order."""
        of_endpoints = select(audit_events).where(audit_events.c.entity_type == "endpoint").order_by(audit_events.c.id)
        async with tenant_session(self.engine, whose or self.tenant) as session:
            return [(row.event_type, row.actor, row.detail) for row in await session.execute(of_endpoints)]

    async def cancelled(self) -> list[tuple[UUID, str, dict[str, Any]]]:
        """What was cancelled because an endpoint was removed: which endpoint, the actor and the detail, in order."""
        of_endpoints = select(audit_events).where(audit_events.c.entity_type == "follow_up_endpoint").order_by(audit_events.c.id)
        async with tenant_session(self.engine, self.tenant) as session:
            return [(row.entity_id, row.actor, row.detail) for row in await session.execute(of_endpoints)]

    async def waits_for_a_lock(self) -> bool:
        """Whether somebody in this database waits for somebody else's row."""
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await self.fetch(waiting))

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows, past every wall."""
        return list(await fetch(self.owner, statement, *arguments))

    async def execute(self, statements: str) -> None:
        """Statements, past every wall."""
        await execute(self.owner, statements)

    @asynccontextmanager
    async def known(self, settings: Settings | None = None, *, now: Callable[[], datetime] = clock.now) -> AsyncIterator[KnownEndpoints]:
        """What a worker with these settings knows; it has not looked yet. `now` is its clock."""
        told = settings or self.settings
        async with open_outbound(told) as outbound:
            yield KnownEndpoints(self.engine, told, outbound, now=now)


def environment(**more: str) -> dict[str, str]:
    """The environment of a house that may call loopback."""
    return {"CHANNEL_TOKEN_KEY": SEALING_KEY, "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1", **more}


def mail_environment() -> dict[str, str]:
    """What e-mail needs beside it."""
    return {"SMTP_URL": "smtp://127.0.0.1:2525", "SMTP_FROM": "leads@example.vn"}


def _draft() -> LeadDraft:
    return LeadDraft(
        receipt_id=new_id(),
        channel_external_id=None,
        platform="facebook",
        source_type="comment",
        source_subtype="mock",
        external_post_id="p_58",
        external_thread_id=None,
        external_message_id=f"m_{new_id()}",
        author_name="Lâm Quỳnh Chi",
        author_id="u_58",
        content_text=URGENT,
        permalink_url=None,
        verdict=classify(URGENT),
        meta={},
    )


def _request(tenant_id: UUID, lead_id: UUID) -> FollowUpRequest:
    return FollowUpRequest(
        lead_id=lead_id,
        tenant_id=tenant_id,
        author_name="Lâm Quỳnh Chi",
        author_id="u_58",
        content_text=URGENT,
        intent_label="inquiry_price",
        priority="high",
        confidence_score=0.93,
        status="new_auto",
        platform="facebook",
        source_type="comment",
        external_post_id="p_58",
        external_message_id=None,
        permalink_url=None,
        phones=(),
        emails=(),
        created_at=NOW,
        console_url=None,
    )
