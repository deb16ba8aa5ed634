"""A tenant whose unclear leads are asked about: leads opened and changed by the functions the door uses, the model on loopback."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Double, RowMapping, Table, cast, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import AuditEventType, audit_events
from lead_signals.database.lease import Claim, claim_due
from lead_signals.followups.follow_up import follow_ups
from lead_signals.intent.lane import lane_status
from lead_signals.intent.verdict import PRIORITY_OF, IntentLabel, Verdict
from lead_signals.language_model.asked import LanguageModel
from lead_signals.language_model.circuit_breaker import CircuitBreaker
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.leads.opinion_request import opinion_requests
from lead_signals.leads.promise_follow_ups import follow_up_policy
from lead_signals.leads.record_changes import ChangeDraft
from lead_signals.second_opinion.give_opinion import OpinionGiver
from lead_signals.second_opinion.opinion_answer import opinion_answers
from lead_signals.second_opinion.opinion_day import TODAY, opinion_days
from lead_signals.settings import Settings, read_settings
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.language_model.model_server import ModelServer
from tests.leads.lives import Happening, edited, happen, said, the_lead

UNCLEAR = "Dạ em chào chị, hôm bữa bên em có qua bên đó rồi"
URGENT = "Cho mình xin báo giá 300 túi giấy"

ASKING = {"LEAD_CLASSIFY_USE_LLM": "true", "OPENAI_API_KEY": "sk-invented", "OPENAI_MODEL": "vua-du-dung"}
LISTENED = {"WEBHOOK_URL": "http://n8n.example/webhook", "PUBLIC_BASE_URL": "https://leads.example.vn"}


def verdict(label: str = "unknown", confidence: float = 0.3) -> Verdict:
    """As the rules may have found it: tests of opinions depend on no sentence that rules may learn to understand."""
    intent = IntentLabel(label)
    return Verdict(intent, PRIORITY_OF[intent], confidence, lane_status(confidence), (), (), (), "rules-of-this-test")


def unclear(message_id: str = "m_1", text: str = UNCLEAR, **fields: Any) -> LeadDraft:
    """Somebody says what no rule understands."""
    return said(message_id, text, **{"verdict": verdict(), **fields})


def urgent(message_id: str = "m_1", text: str = URGENT, **fields: Any) -> LeadDraft:
    """Somebody says what every rule understands."""
    return said(message_id, text, **{"verdict": verdict("inquiry_price", 0.9), **fields})


def rewritten(message_id: str, text: str, *, minutes: float, label: str = "unknown") -> ChangeDraft:
    """They edit it to something else, understood as that."""
    return replace(edited(message_id, text, minutes=minutes), verdict=verdict(label, 0.3 if label == "unknown" else 0.9))


def asking_settings(**different: str) -> Settings:
    """A model is asked, and somebody listens to follow-ups."""
    return read_settings({**ASKING, **LISTENED, **different})


class Clock:
    """Seconds for a breaker, as the test wants them."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class AskingHouse:
    """One tenant. `jitter` is the share of each delay that is waited."""

    engine: AsyncEngine
    tenant_id: UUID
    server: ModelServer
    model: LanguageModel
    settings: Settings = field(default_factory=asking_settings)
    jitter: float = 1.0
    clock: Clock = field(default_factory=Clock)
    _giver: OpinionGiver | None = None

    @property
    def giver(self) -> OpinionGiver:
        """The one of this process: it remembers how the server fares."""
        if self._giver is None:
            self._giver = self.another_giver()
        return self._giver

    def another_giver(self) -> OpinionGiver:
        """One as another process would have it."""
        breaker = CircuitBreaker(self.clock)
        return OpinionGiver(self.engine, self.model, self.settings, breaker=breaker, jitter=lambda: self.jitter)

    def set(self, **settings: str) -> None:
        """Other settings, and so another process."""
        self.settings, self._giver = asking_settings(**settings), None

    async def receive(self, *happenings: Happening) -> None:
        """All of it arrives in one delivery."""
        await happen(self.engine, self.tenant_id, *happenings, policy=follow_up_policy(self.settings))

    async def say(self, words: str = UNCLEAR, message_id: str = "m_1", **fields: Any) -> Lead:
        """Somebody says it; the lead that came of it."""
        await self.receive(unclear(message_id, words, **fields))
        return await self.lead(message_id)

    async def lead(self, message_id: str = "m_1") -> Lead:
        """The lead of this message."""
        return await the_lead(self.engine, self.tenant_id, message_id)

    async def move(self, lead_id: UUID, **values: Any) -> None:
        """As if a person had done it."""
        async with tenant_session(self.engine, self.tenant_id) as session:
            await session.execute(update(lead_signals).where(lead_signals.c.id == lead_id).values(**values))

    async def claims(self, *, lease_seconds: float = 20.0) -> list[Claim]:
        """All requests that are due."""
        async with across_tenants_session(self.engine) as session:
            return await claim_due(session, opinion_requests, working_state="asking", limit=1000, lease_seconds=lease_seconds)

    async def claim(self, *, lease_seconds: float = 20.0) -> Claim:
        """The only request that is due."""
        (claim,) = await self.claims(lease_seconds=lease_seconds)
        return claim

    async def give(self, claim: Claim | None = None) -> RowMapping:
        """Do the request that is due (or was claimed before); its row afterwards, with `in_seconds` until it is due again."""
        claim = claim or await self.claim()
        await self.giver.give_opinion(claim)
        return await self.request(claim.id)

    async def request(self, request_id: UUID | None = None) -> RowMapping:
        """One request (the only one, without an id)."""
        (row,) = await self.requests(request_id)
        return row

    async def requests(self, request_id: UUID | None = None) -> Sequence[RowMapping]:
        """Requests in the order they were owed."""
        in_seconds = cast(func.extract("epoch", opinion_requests.c.due_at - func.now()), Double).label("in_seconds")
        wanted = opinion_requests.c.tenant_id == self.tenant_id if request_id is None else opinion_requests.c.id == request_id
        async with tenant_session(self.engine, self.tenant_id) as session:
            rows = await session.execute(select(opinion_requests, in_seconds).where(wanted).order_by(opinion_requests.c.id))
            return rows.mappings().all()

    async def rows(self, table: Table) -> Sequence[RowMapping]:
        """All rows of the tenant in this table."""
        async with tenant_session(self.engine, self.tenant_id) as session:
            return (await session.execute(select(table).where(table.c.tenant_id == self.tenant_id))).mappings().all()

    async def follow_ups(self) -> Sequence[RowMapping]:
        """What n8n is owed."""
        return await self.rows(follow_ups)

    async def events(self) -> list[dict[str, Any]]:
        """What the audit tells of second opinions, oldest first."""
        of_opinions = audit_events.c.event_type == AuditEventType.LEAD_SIGNAL_SECOND_OPINION.value
        async with tenant_session(self.engine, self.tenant_id) as session:
            return list((await session.execute(select(audit_events.c.detail).where(of_opinions).order_by(audit_events.c.id))).scalars())

    async def use_up(self, calls: int) -> None:
        """That many calls were made today."""
        async with tenant_session(self.engine, self.tenant_id) as session:
            await session.execute(insert(opinion_days).values(tenant_id=self.tenant_id, day=TODAY, calls=calls))

    async def calls(self) -> list[tuple[int, int, int]]:
        """Calls and tokens of each day."""
        return [(row.calls, row.input_tokens, row.output_tokens) for row in await self.rows(opinion_days)]

    async def let_time_pass(self, *, hours: float) -> None:
        """Everything that requests and answers remember happened that much earlier."""
        moments = {opinion_requests: ("due_at", "lease_until", "finished_at", "created_at"), opinion_answers: ("created_at",)}
        async with tenant_session(self.engine, self.tenant_id) as session:
            for table, names in moments.items():
                earlier = ", ".join(f"{name} = {name} - make_interval(secs => :seconds)" for name in names)
                await session.execute(text(f"UPDATE {table.name} SET {earlier}"), {"seconds": hours * 3600})
