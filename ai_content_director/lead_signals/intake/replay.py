"""Replay: read stored receipts again by the code and the rules of today, tell what differs, and write it when asked to.

Receipts are taken in the order of (tenant, moment, id), some at a time: what a replay holds in memory does not grow with their number
(but for the messages of one tenant that have no lead), and each part is written in a short transaction of its own. So it can be
interrupted and repeated; what was written before differs no more.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake.receipt import receipts
from lead_signals.intake.replay_comparison import Comparison, compare, message_of
from lead_signals.intake.replay_reading import Judge, KeptReceipt, ReceiptReadAgain, judge_by, read_receipt_again
from lead_signals.intake.replay_stored import load_stored
from lead_signals.intake.replay_writing import WrittenByReplay, hold_for_replay, write_comparison
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.leads.record_changes import fingerprint
from lead_signals.rule_packs.pack_in_force import pack_in_force
from lead_signals.tenancy.tenant import list_tenants
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

AT_ONCE = 200  # receipts in one transaction
AT_ONCE_BYTES = 2 * 1024 * 1024  # and their bodies, which are between 300 bytes and 1 MiB

_Place: TypeAlias = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to read again: receipts from `since` to before `until`, of one tenant or (None) of all.

    By `rule_pack`, or (None) as the door judges: by the rules that each tenant has in force.
    """

    since: datetime
    until: datetime
    tenant_id: UUID | None = None
    rule_pack: RulePack | None = None
    write: bool = False


@dataclass(frozen=True, slots=True)
class ReplaySize:
    """What a plan will meet. `without_body` are receipts that are older than the operator keeps them: nothing can be read in them."""

    tenants: Sequence[UUID]
    receipts: int
    without_body: int


@dataclass(frozen=True, slots=True)
class ReplayedPart:
    """Some receipts of one tenant, done with. `moment` is when the last of them was received."""

    tenant_id: UUID
    moment: datetime
    receipts: int
    items: int
    unreadable: int
    comparison: Comparison
    written: WrittenByReplay


async def measure_replay(engine: AsyncEngine, plan: ReplayPlan) -> ReplaySize:
    """How much there is to read. No tenants at all: there is none of that id."""
    async with across_tenants_session(engine) as session:
        tenants = [tenant.id for tenant in await list_tenants(session) if plan.tenant_id in (None, tenant.id)]
    kept = gone = 0
    for tenant_id in tenants:
        async with tenant_session(engine, tenant_id) as session:
            with_body, in_all = (
                await session.execute(select(func.count(receipts.c.body), func.count()).where(*_within(tenant_id, plan)))
            ).one()
        kept, gone = kept + with_body, gone + in_all - with_body
    return ReplaySize(tenants, kept, gone)


async def replay(engine: AsyncEngine, plan: ReplayPlan, tenants: Sequence[UUID], *, at_once: int = AT_ONCE) -> AsyncGenerator[ReplayedPart]:
    """Read the receipts of these tenants again, part by part; with `plan.write` a part is written when it is handed over.

    Raises what the database raises; the parts before stay written.
    """
    for tenant_id in tenants:
        told: set[object] = set()
        rule_pack = plan.rule_pack or (await pack_in_force(engine, tenant_id)).rule_pack
        async with aclosing(receipts_of(engine, plan, tenant_id, at_once=at_once)) as receipts_at_once:
            async for kept in receipts_at_once:
                part = await _replay_part(engine, plan, tenant_id, kept, rule_pack)
                _tell_once(part.comparison, told)
                yield part


async def receipts_of(
    engine: AsyncEngine, plan: ReplayPlan, tenant_id: UUID, *, at_once: int = AT_ONCE
) -> AsyncGenerator[list[KeptReceipt]]:
    """The tenant's receipts of the plan that have a body, some at a time, oldest first; no transaction is open between."""
    place: _Place | None = None
    while kept := await _next_receipts(engine, plan, tenant_id, place, at_once):
        place = (kept[-1].received_at, kept[-1].id)
        yield kept


async def _next_receipts(engine: AsyncEngine, plan: ReplayPlan, tenant_id: UUID, after: _Place | None, at_once: int) -> list[KeptReceipt]:
    """The receipts after that place, as many as fit; at least one if there is one. One statement: receipts may age meanwhile."""
    columns = receipts.c
    where = [*_within(tenant_id, plan), columns.body.is_not(None)]
    if after is not None:
        where.append(tuple_(columns.received_at, columns.id) > tuple_(*after))
    some = (
        select(columns.id, columns.platform, columns.received_at, columns.body)
        .where(*where)
        .order_by(columns.received_at, columns.id)
        .limit(at_once)
        .subquery()
    )
    size = func.octet_length(some.c.body)
    before = func.sum(size).over(order_by=(some.c.received_at, some.c.id)) - size
    piled = select(some, before.label("bytes_before")).subquery()
    async with tenant_session(engine, tenant_id) as session:
        rows = await session.execute(
            select(piled.c.id, piled.c.platform, piled.c.received_at, piled.c.body)
            .where(piled.c.bytes_before < AT_ONCE_BYTES)
            .order_by(piled.c.received_at, piled.c.id)
        )
        return [KeptReceipt(row.id, row.platform, row.received_at, row.body) for row in rows]


def _within(tenant_id: UUID, plan: ReplayPlan) -> list[ColumnElement[bool]]:
    return [receipts.c.tenant_id == tenant_id, receipts.c.received_at >= plan.since, receipts.c.received_at < plan.until]


async def _replay_part(
    engine: AsyncEngine, plan: ReplayPlan, tenant_id: UUID, kept: Sequence[KeptReceipt], rule_pack: RulePack | None
) -> ReplayedPart:
    """What takes long, reading and judging, is done while no transaction is open."""
    judge = judge_by(rule_pack)
    read = [read_receipt_again(receipt, rule_pack) for receipt in kept]
    async with tenant_session(engine, tenant_id) as session:
        comparison = compare(read, await load_stored(session, tenant_id, read), judge)
    written = WrittenByReplay()
    if plan.write and comparison.calls_for_writing:
        comparison, written = await _write(engine, tenant_id, read, judge, changing=bool(comparison.changes))
    return ReplayedPart(
        tenant_id,
        kept[-1].received_at,
        len(kept),
        sum(receipt.items_received for receipt in read),
        sum(not receipt.is_readable for receipt in read),
        comparison,
        written,
    )


async def _write(
    engine: AsyncEngine, tenant_id: UUID, read: Sequence[ReceiptReadAgain], judge: Judge, *, changing: bool
) -> tuple[Comparison, WrittenByReplay]:
    """Compare again where nobody comes between, and write what is still so."""
    async with tenant_session(engine, tenant_id) as session:
        await hold_for_replay(session, tenant_id, changing=changing)
        comparison = compare(read, await load_stored(session, tenant_id, read), judge)
        received_at = {receipt.id: receipt.received_at for receipt in read}
        return comparison, await write_comparison(session, tenant_id, comparison, received_at)


def _tell_once(comparison: Comparison, told: set[object]) -> None:
    """Leave out what an earlier part has told: a message without a lead may lie in many receipts."""
    missing = [draft for draft in comparison.missing if message_of(draft) is None or message_of(draft) not in told]
    changes = [change for change in comparison.changes if (change.message, fingerprint(change)) not in told]
    told.update(message_of(draft) for draft in missing)
    told.update((change.message, fingerprint(change)) for change in changes)
    comparison.missing, comparison.changes = missing, changes
