"""Cancel what is owed to an endpoint that was removed: nobody can be told there any more."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import SYSTEM, AuditEvent, AuditEventType, record
from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

FIRST = UUID(int=0)
PORTION = 1000  # rows of one transaction: a backlog of a day would outlast the statement timeout, and hold up deliveries


@dataclass(frozen=True, slots=True)
class CancelledOwed:
    """How many were cancelled, and of how many more the attempt that runs decides: 2xx delivers, a failure cancels."""

    now: int
    in_delivery: int


async def cancel_owed(engine: AsyncEngine, tenant_id: UUID, endpoint_id: UUID, *, actor: str) -> CancelledOwed:
    """Cancel all that is pending, retrying or dead there; ask it of what is in delivery. Repeatable.

    In portions, each a transaction with an audit event of what it cancelled: whenever it is cut off, what happened is on record.
    """
    cancelled, in_delivery, after = 0, 0, FIRST
    while True:
        ended = await _cancel_portion(engine, tenant_id, endpoint_id, after, actor)
        delivering = sum(state == FollowUpState.DELIVERING.value for state in ended.values())
        cancelled += len(ended) - delivering
        in_delivery += delivering
        if len(ended) < PORTION:
            return CancelledOwed(cancelled, in_delivery)
        after = max(ended)


async def cancel_owed_to_removed(engine: AsyncEngine) -> int:
    """A round over all tenants: what a removal left behind because it was cut off. How many ended."""
    async with across_tenants_session(engine) as everywhere:
        its_own = and_(follow_ups.c.tenant_id == follow_up_endpoints.c.tenant_id, follow_ups.c.endpoint_id == follow_up_endpoints.c.id)
        unfinished, dead = follow_ups.c.finished_at.is_(None), follow_ups.c.state == FollowUpState.DEAD.value
        owed = or_(exists().where(its_own, unfinished), exists().where(its_own, dead))
        wanted = select(follow_up_endpoints.c.tenant_id, follow_up_endpoints.c.id).where(
            follow_up_endpoints.c.removed_at.is_not(None), owed
        )
        removed = (await everywhere.execute(wanted)).all()
    return sum([(await cancel_owed(engine, row.tenant_id, row.id, actor=SYSTEM)).now for row in removed])


async def _cancel_portion(engine: AsyncEngine, tenant_id: UUID, endpoint_id: UUID, after: UUID, actor: str) -> dict[UUID, str]:
    """The next ones by id, and the states they have now."""
    columns = follow_ups.c
    # A lease that ran out belongs to a worker that died: nobody claims for a removed endpoint, so nobody else would end it.
    in_work = and_(columns.state == FollowUpState.DELIVERING.value, columns.lease_until > func.now())
    not_asked = or_(columns.finished_at.is_(None), columns.state == FollowUpState.DEAD.value) & ~and_(in_work, columns.cancel_asked)
    portion = (
        select(columns.id)
        .where(columns.tenant_id == tenant_id, columns.endpoint_id == endpoint_id, columns.id > after, not_asked)
        .order_by(columns.id)
        .limit(PORTION)
        .with_for_update()
        .cte("portion")
        .prefix_with("MATERIALIZED", dialect="postgresql")  # inlined, the planner may run a LIMIT more than once and take them all
    )
    async with tenant_session(engine, tenant_id) as session:
        rows = await session.execute(
            update(follow_ups)
            .where(columns.tenant_id == tenant_id, columns.id == portion.c.id, not_asked)
            .values(
                state=case((in_work, columns.state), else_=FollowUpState.CANCELLED.value),
                lease_until=case((in_work, columns.lease_until), else_=None),
                finished_at=case((in_work, columns.finished_at), else_=func.now()),
                cancel_asked=in_work,
            )
            .returning(columns.id, columns.state)
        )
        ended: dict[UUID, str] = {row.id: row.state for row in rows}
        if ended:
            in_delivery = sum(state == FollowUpState.DELIVERING.value for state in ended.values())
            detail = {"count": len(ended) - in_delivery, "in_delivery": in_delivery, "why": "removed_endpoint"}
            event = AuditEvent(AuditEventType.FOLLOW_UP_CANCELLED, "follow_up_endpoint", endpoint_id, detail, actor)
            await record(session, tenant_id, [event])
        return ended
