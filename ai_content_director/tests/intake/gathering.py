"""A group that gathers by design: one delivery is held in the middle of its transaction, and what comes meanwhile waits in the line."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.intake.admission import Admission
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.prepare import prepare
from lead_signals.intake.route_delivery import Incoming, RoutedDelivery, TenantIdSource
from lead_signals.intake.waiting_line import WaitingLine
from lead_signals.json_body import parse_json_body
from lead_signals.leads.hold_history import hold_history
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session
from tests.deliveries import URGENT, comment
from tests.intake.open_door import fetch
from tests.leads.lock_waits import wait_until_somebody_waits_for
from tests.waiting import wait_until_async

Admitting: TypeAlias = asyncio.Task[tuple[RoutedDelivery, list[Admission]]]
POLICY = FollowUpPolicy(operator_listens=True, console_base_url=None)


@dataclass(frozen=True)
class Scene:
    """A group commit with one hand on a real database, and a tenant whose deliveries can be held."""

    engine: AsyncEngine
    owner_address: str
    line: WaitingLine
    commits: GroupCommit
    held_tenant: UUID

    @classmethod
    async def on(cls, engine: AsyncEngine, owner_address: str, line: WaitingLine | None = None) -> "Scene":
        """A scene with nobody in it yet."""
        line = WaitingLine() if line is None else line
        return cls(engine, owner_address, line, GroupCommit(engine, POLICY, line, hands=1), await new_tenant(engine))

    @asynccontextmanager
    async def first_group_held(self) -> AsyncIterator[tuple[TenantSession, Admitting]]:
        """Inside the block, the transaction of one delivery waits for a lock of this session; at its end the lock is given back."""
        async with tenant_session(self.engine, self.held_tenant) as holding:
            await hold_history(holding, self.held_tenant, changing=True)
            first = asyncio.create_task(self.commits.admit(said(self.held_tenant)))
            await wait_until_somebody_waits_for(holding, self.owner_address)
            yield holding, first

    async def gather(self, *deliveries: Incoming) -> list[Admitting]:
        """These stand in the line now, behind those who do already."""
        standing = len(self.line) + len(deliveries)
        tasks = [asyncio.create_task(self.commits.admit(delivery)) for delivery in deliveries]

        async def all_stand() -> bool:
            return len(self.line) == standing

        await wait_until_async(all_stand, f"{standing} deliveries stand in the line")
        return tasks

    async def together(self, *deliveries: Incoming) -> list[tuple[RoutedDelivery, list[Admission]] | BaseException]:
        """What became of these, which waited while another delivery was written."""
        async with self.first_group_held() as (_, first):
            tasks = await self.gather(*deliveries)
        await first
        return await outcomes(tasks)

    async def transactions(self, *tenant_ids: UUID) -> set[int]:
        """The transactions that wrote the receipts, leads and audit events of these tenants."""
        union = " UNION ".join(
            f"SELECT xmin::text::bigint FROM {table} WHERE tenant_id = ANY($1)" for table in ("receipts", "lead_signals", "audit_events")
        )
        return {row[0] for row in await fetch(self.owner_address, union, tenant_ids)}

    async def count(self, table: str, tenant_id: UUID) -> int:
        """Rows of one tenant."""
        (row,) = await fetch(self.owner_address, f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant_id)
        return int(row["count"])


async def outcomes(tasks: Sequence[Admitting]) -> list[tuple[RoutedDelivery, list[Admission]] | BaseException]:
    """What each of them returned or raised, within ten seconds."""
    async with asyncio.timeout(10):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def new_tenant(engine: AsyncEngine) -> UUID:
    """A fresh tenant's id."""
    return (await onboard_tenant(engine, Onboarding(tenant_name="Tiệm Giày Phố Cổ", industry="Giày dép"))).tenant.id


def said(tenant_id: UUID, *comment_ids: str, message: str = URGENT) -> Incoming:
    """A delivery that names its tenant in the header, with a comment for each id; without one, a single new comment."""
    entries = [comment(comment_id, message)["entry"][0] for comment_id in comment_ids or (uuid4().hex,)]
    return incoming({"object": "page", "entry": entries}, tenant_id)


def incoming(body: dict[str, Any], tenant_id: UUID | None = None, *, signed: bool = False) -> Incoming:
    """A delivery of Facebook as the door hands it over."""
    adapter, raw = ADAPTERS["facebook"], orjson.dumps(body)
    read = parse_json_body(raw)
    named = None if tenant_id is None else (tenant_id, TenantIdSource.HEADER)
    return Incoming(adapter, raw, read, prepare(adapter.read_signals(read, clock.now())), named, signed)


def poisoned(delivery: Incoming) -> Incoming:
    """The same with a text in its first lead that PostgreSQL cannot hold, and that no adapter would have let through."""
    leads = delivery.prepared.leads
    strange = replace(leads[0], content_text="a\x00b")
    return replace(delivery, prepared=replace(delivery.prepared, leads=(strange, *leads[1:])))


def admissions_of(outcome: tuple[RoutedDelivery, list[Admission]] | BaseException) -> list[Admission]:
    """Of a delivery that was admitted; one that was not fails the test with what it raised."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome[1]


def admission_of(outcome: tuple[RoutedDelivery, list[Admission]] | BaseException) -> Admission:
    """The only one."""
    (admission,) = admissions_of(outcome)
    return admission
