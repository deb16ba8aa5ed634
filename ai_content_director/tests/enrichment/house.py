"""A house with a connected Page: leads opened and look-ups promised by the functions the door uses, Graph played by its stand-in."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Double, RowMapping, cast, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import AuditEventType, audit_events
from lead_signals.connections.sealed_token import TokenPlace, TokenSeal
from lead_signals.database.lease import Claim, claim_due
from lead_signals.database.new_id import new_id
from lead_signals.enrichment.look_up import look_up
from lead_signals.followups.follow_up import follow_ups
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.intent.classify import classify
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.look_up import look_ups, make_due
from lead_signals.leads.open_leads import LeadDraft, OpenedLead, open_leads
from lead_signals.leads.request_look_ups import ChannelKey, request_look_ups
from lead_signals.settings import Settings
from lead_signals.tenancy.channel import channels, connect_channel
from lead_signals.tenancy.tenant_session import TenantSession, across_tenants_session, tenant_session
from tests.graph_api.graph_stand_in import PAGE_ID, PAGE_TOKEN, GraphStandIn

PSID = "5550000000000017"
NAME = "Lương Thị Ánh Tuyết"
LEADGEN_ID = "4440000000000021"
ANSWERS = {"full_name": [NAME], "phone_number": ["+84912345607"], "bạn_cần_gì?": ["báo giá 200 áo thun"]}


@dataclass
class House:
    """One tenant. `jitter` is the share of each delay that is waited; `with_token` the channels the door knows to have a token."""

    engine: AsyncEngine
    tenant_id: UUID
    settings: Settings
    graph: GraphClient
    world: GraphStandIn
    jitter: float = 1.0
    with_token: set[ChannelKey] = field(default_factory=set)

    async def connect(self, token: str = PAGE_TOKEN, *, page_id: str = PAGE_ID, platform: str = "facebook") -> int:
        """Give the Page this token, as connecting it does; how many look-ups became due."""
        async with tenant_session(self.engine, self.tenant_id) as session:
            return await self.connect_in(session, token, page_id=page_id, platform=platform)

    async def connect_in(self, session: TenantSession, token: str, *, page_id: str = PAGE_ID, platform: str = "facebook") -> int:
        """The same, in somebody's transaction."""
        await connect_channel(session, self.tenant_id, platform=platform, external_id=page_id)
        row = (channels.c.tenant_id == self.tenant_id, channels.c.platform == platform, channels.c.external_id == page_id)
        channel_id = (await session.execute(select(channels.c.id).where(*row))).scalar_one()
        sealed = TokenSeal(self.settings.channel_token_key).seal(SecretStr(token), TokenPlace(self.tenant_id, platform, channel_id))
        await session.execute(update(channels).where(*row).values(sealed_token=sealed, token_state="unchecked"))
        self.with_token.add((platform, page_id))
        return await make_due(session, self.tenant_id, platform=platform, channel_external_id=page_id)

    async def receive(self, *drafts: LeadDraft) -> list[OpenedLead]:
        """Open leads and promise their look-ups, in one transaction as the door does."""
        async with tenant_session(self.engine, self.tenant_id) as session:
            return await self.receive_in(session, *drafts)

    async def receive_in(self, session: TenantSession, *drafts: LeadDraft) -> list[OpenedLead]:
        """The same, in somebody's transaction."""
        opened = await open_leads(session, self.tenant_id, drafts)
        return await request_look_ups(session, self.tenant_id, opened, self.with_token)

    async def claim(self, *, lease_seconds: float = 20.0) -> Claim:
        """The only look-up that is due."""
        (claim,) = await self.claims(lease_seconds=lease_seconds)
        return claim

    async def claims(self, *, lease_seconds: float = 20.0) -> list[Claim]:
        """All look-ups that are due."""
        async with across_tenants_session(self.engine) as session:
            return await claim_due(session, look_ups, working_state="looking", limit=100, lease_seconds=lease_seconds)

    async def look_up(self, claim: Claim | None = None) -> RowMapping:
        """Do the look-up that is due (or was claimed before); its row afterwards, with `in_seconds` until it is due again."""
        claim = claim or await self.claim()
        await look_up(self.engine, self.graph, self.settings, claim, jitter=lambda: self.jitter)
        return await self.row(claim.id)

    async def row(self, look_up_id: UUID | None = None) -> RowMapping:
        """One look-up (the only one, without an id)."""
        in_seconds = cast(func.extract("epoch", look_ups.c.due_at - func.now()), Double).label("in_seconds")
        wanted = look_ups.c.tenant_id == self.tenant_id if look_up_id is None else look_ups.c.id == look_up_id
        async with tenant_session(self.engine, self.tenant_id) as session:
            return (await session.execute(select(look_ups, in_seconds).where(wanted))).mappings().one()

    async def lead(self, message_id: str) -> RowMapping:
        """The lead of this message."""
        async with tenant_session(self.engine, self.tenant_id) as session:
            rows = await session.execute(select(lead_signals).where(lead_signals.c.external_message_id == message_id))
            return rows.mappings().one()

    async def follow_ups(self) -> list[RowMapping]:
        """All that is owed to n8n."""
        async with tenant_session(self.engine, self.tenant_id) as session:
            return list((await session.execute(select(follow_ups))).mappings())

    async def completions(self) -> list[RowMapping]:
        """The audit's events of completed leads."""
        completed = audit_events.c.event_type == AuditEventType.LEAD_SIGNAL_COMPLETED.value
        async with tenant_session(self.engine, self.tenant_id) as session:
            return list((await session.execute(select(audit_events).where(completed).order_by(audit_events.c.id))).mappings())

    async def let_time_pass(self, days: float) -> None:
        """Everything that look-ups remember happened that much earlier: due times, leases, what was found and when it was owed."""
        earlier = ", ".join(f"{name} = {name} - make_interval(secs => :seconds)" for name in _MOMENTS)
        async with tenant_session(self.engine, self.tenant_id) as session:
            await session.execute(text(f"UPDATE look_ups SET {earlier}"), {"seconds": days * 86_400})


_MOMENTS = ("due_at", "lease_until", "found_at", "finished_at", "created_at")


def form(leadgen_id: str = LEADGEN_ID, **different: Any) -> LeadDraft:
    """A lead form as the Page's adapter reads it: an id, and not a word."""
    return said("", leadgen_id, **{"source_type": "lead_form", "source_subtype": "lead_ad", "author_id": None, **different})


def message(message_id: str, words: str = "Shop tư vấn giúp mình", **different: Any) -> LeadDraft:
    """A message in the inbox: Messenger says no name."""
    return said(words, message_id, **different)


def said(words: str, message_id: str, **different: Any) -> LeadDraft:
    """A lead to be opened; any field as wished."""
    fields: dict[str, Any] = {
        "receipt_id": new_id(),
        "channel_external_id": PAGE_ID,
        "platform": "facebook",
        "source_type": "message",
        "source_subtype": "text",
        "external_post_id": None,
        "external_thread_id": None,
        "external_message_id": message_id,
        "author_name": None,
        "author_id": PSID,
        "content_text": words,
        "permalink_url": None,
        "verdict": classify(words),
        "meta": {},
    }
    return LeadDraft(**(fields | different))


async def somebody_waits_for_a_lock(engine: AsyncEngine) -> bool:
    """Whether a transaction of this database is held up by another."""
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"  # what pg_stat_activity shows depends on the login
    async with engine.connect() as connection:
        return bool((await connection.execute(text(waits))).scalar_one())
