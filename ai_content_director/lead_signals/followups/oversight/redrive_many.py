"""Send many follow-ups again, tenant by tenant inside each one's wall, in portions of whole transactions.

What is committed is audited: each portion carries its own event with its count and the filter. So it may be cut off at any moment and
called again, and of two that run at once each takes other rows.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.database.wake_up import announce_due_work
from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.follow_up import FOLLOW_UP_WORK, FollowUpState, follow_ups
from lead_signals.followups.oversight.held_back import held_back
from lead_signals.followups.oversight.redrive import started_anew
from lead_signals.followups.oversight.redrive_wish import RedriveWish
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession, across_tenants_session, tenant_session

NOBODY_BEFORE = UUID(int=0)
PORTION = 1000  # rows of one transaction: some 50 ms of locks


@dataclass(frozen=True, slots=True)
class RedrivenSome:
    """How many of one tenant's endpoint. `held_back` says why they wait there all the same; None when a running worker sends them now."""

    tenant_id: UUID
    endpoint_id: UUID
    count: int
    held_back: str | None = None


@dataclass(frozen=True, slots=True)
class RedrivenMany:
    """What was made due now, or with `dry_run` would be. `left`: that many more fit the filter, beyond the limit: call again."""

    dry_run: bool
    count: int
    left: int
    redriven: list[RedrivenSome]


async def redrive_many(engine: AsyncEngine, settings: Settings, wish: RedriveWish) -> RedrivenMany:
    """All that fit, up to the limit, and wake the worker. Raises RefusedRequest (404) for an unknown tenant."""
    fitting = await find_redrivable(engine, settings, wish)
    there = sum(some.count for some in fitting)
    if wish.dry_run:
        return RedrivenMany(True, min(there, wish.limit), max(0, there - wish.limit), _cut(fitting, wish.limit))
    counts: dict[tuple[UUID, UUID], RedrivenSome] = {}
    async for some in redrive_portions(engine, wish, fitting):
        before = counts.get((some.tenant_id, some.endpoint_id))
        counts[some.tenant_id, some.endpoint_id] = some if before is None else replace(some, count=before.count + some.count)
    redriven = list(counts.values())
    done = sum(some.count for some in redriven)
    return RedrivenMany(False, done, max(0, there - done) if done == wish.limit else 0, redriven)


async def find_redrivable(engine: AsyncEngine, settings: Settings, wish: RedriveWish) -> list[RedrivenSome]:
    """How many fit at this moment, by tenant and endpoint. Raises RefusedRequest (404) for an unknown tenant."""
    if wish.tenant_id is None:
        async with across_tenants_session(engine) as everywhere:
            return await _count(everywhere, settings, None, wish)
    async with tenant_session(engine, wish.tenant_id) as session:
        if await find_tenant(session, wish.tenant_id) is None:
            raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {wish.tenant_id}.")
        return await _count(session, settings, wish.tenant_id, wish)


async def redrive_portions(engine: AsyncEngine, wish: RedriveWish, fitting: Sequence[RedrivenSome]) -> AsyncIterator[RedrivenSome]:
    """Redrive what `fitting` (of `find_redrivable`) names, up to the limit; yields after each commit what it did."""
    left, began_at = wish.limit, await _database_time(engine)
    for some in fitting:
        last: UUID | None = NOBODY_BEFORE
        while left > 0 and last is not None:
            async with tenant_session(engine, some.tenant_id) as session:
                count, last = await _redrive_portion(session, some, wish, began_at, after=last, limit=min(PORTION, left))
            if count:
                left -= count
                yield replace(some, count=count)


async def _redrive_portion(
    session: TenantSession, of: RedrivenSome, wish: RedriveWish, began_at: datetime, *, after: UUID, limit: int
) -> tuple[int, UUID | None]:
    """How many, and the last of them; None behind the end. Each portion begins behind the one before, whose rows still lie in the index."""
    held = (
        select(follow_ups.c.tenant_id, follow_ups.c.id)
        .where(*_fits(of.tenant_id, wish, began_at), follow_ups.c.endpoint_id == of.endpoint_id, follow_ups.c.id > after)
        .order_by(follow_ups.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=follow_ups)  # whoever holds one is sending, cancelling or redriving it
        .cte("held")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    anew: dict[str, Any] = started_anew() if wish.state == FollowUpState.DEAD.value else {}
    rows = await session.execute(
        update(follow_ups)
        .where(follow_ups.c.tenant_id == held.c.tenant_id, follow_ups.c.id == held.c.id)
        .values(**anew, due_at=began_at)  # the call's one moment: what it has made due does not fit it any more
        .returning(follow_ups.c.id)
    )
    ids: Sequence[UUID] = rows.scalars().all()
    if not ids:
        return 0, None
    detail = {"count": len(ids), "filter": wish.told()}
    event = AuditEvent(AuditEventType.FOLLOW_UP_REDRIVEN, "follow_up_endpoint", of.endpoint_id, detail, OPERATOR)
    await record(session, of.tenant_id, [event])
    await announce_due_work(session, FOLLOW_UP_WORK)
    return len(ids), max(ids)


async def _count(
    session: TenantSession | AcrossTenantsSession, settings: Settings, tenant_id: UUID | None, wish: RedriveWish
) -> list[RedrivenSome]:
    columns = (follow_ups.c.tenant_id, follow_ups.c.endpoint_id)
    rows: Sequence[Row[Any]] = (
        await session.execute(
            select(*columns, func.count().label("cnt")).where(*_fits(tenant_id, wish, func.now())).group_by(*columns).order_by(*columns)
        )
    ).all()
    held = await held_back(session, settings, {row.endpoint_id for row in rows})
    return [RedrivenSome(row.tenant_id, row.endpoint_id, row.cnt, held.get(row.endpoint_id)) for row in rows]


def _fits(tenant_id: UUID | None, wish: RedriveWish, began_at: datetime | ColumnElement[datetime]) -> list[ColumnElement[bool]]:
    """What is owed to a removed endpoint never fits: there is nowhere to send it."""
    endpoints = follow_up_endpoints.c
    removed = (
        select(endpoints.id)
        .where(endpoints.tenant_id == follow_ups.c.tenant_id, endpoints.id == follow_ups.c.endpoint_id, endpoints.removed_at.is_not(None))
        .exists()
    )
    wanted = [true() if tenant_id is None else follow_ups.c.tenant_id == tenant_id, follow_ups.c.state == wish.state, ~removed]
    if wish.state == FollowUpState.RETRYING.value:
        wanted += [follow_ups.c.finished_at.is_(None), follow_ups.c.due_at > began_at]  # the others are due already
    if wish.endpoint_id is not None:
        wanted.append(follow_ups.c.endpoint_id == wish.endpoint_id)
    if wish.lead_id is not None:
        wanted.append(follow_ups.c.lead_id == wish.lead_id)
    if wish.older_than_minutes is not None:
        wanted.append(follow_ups.c.created_at <= began_at - timedelta(minutes=wish.older_than_minutes))
    if wish.died_after is not None:
        wanted.append(follow_ups.c.finished_at >= wish.died_after)
    if wish.died_before is not None:
        wanted.append(follow_ups.c.finished_at < wish.died_before)
    return wanted


def _cut(fitting: Sequence[RedrivenSome], limit: int) -> list[RedrivenSome]:
    """The first of them that a run with this limit would reach."""
    cut, left = [], limit
    for some in fitting:
        if left > 0:
            cut.append(replace(some, count=min(some.count, left)))
            left -= some.count
    return cut


async def _database_time(engine: AsyncEngine) -> datetime:
    async with engine.connect() as connection:
        now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return now
