"""Cancel what is owed to an endpoint that was removed: nobody can be told there any more."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

PORTION = 1000  # rows of one transaction: a backlog of a day would outlast the statement timeout, and hold up deliveries


@dataclass(frozen=True, slots=True)
class CancelledOwed:
    """How many were cancelled, and of how many more the attempt that runs decides: 2xx delivers, a failure cancels."""

    now: int
    in_delivery: int


async def cancel_owed(engine: AsyncEngine, tenant_id: UUID, endpoint_id: UUID) -> CancelledOwed:
    """Cancel all that is pending, retrying or dead there; ask it of what is in delivery. In portions, each a transaction; repeatable."""
    cancelled, in_delivery = 0, 0
    while True:
        states = await _cancel_portion(engine, tenant_id, endpoint_id)
        delivering = states.count(FollowUpState.DELIVERING.value)
        cancelled += len(states) - delivering
        in_delivery += delivering
        if len(states) < PORTION:
            return CancelledOwed(cancelled, in_delivery)


async def cancel_owed_to_removed(engine: AsyncEngine) -> int:
    """A round over all tenants: what a removal left behind because it was cut off, or a lead promised while it ran. How many ended."""
    async with across_tenants_session(engine) as everywhere:
        owed = exists().where(follow_ups.c.endpoint_id == follow_up_endpoints.c.id, follow_ups.c.finished_at.is_(None))
        wanted = select(follow_up_endpoints.c.tenant_id, follow_up_endpoints.c.id).where(
            follow_up_endpoints.c.removed_at.is_not(None), owed
        )
        removed = (await everywhere.execute(wanted)).all()
    return sum([(await cancel_owed(engine, row.tenant_id, row.id)).now for row in removed])


async def _cancel_portion(engine: AsyncEngine, tenant_id: UUID, endpoint_id: UUID) -> list[str]:
    """The states that this portion has now."""
    columns = follow_ups.c
    # A lease that ran out belongs to a worker that died: nobody claims for a removed endpoint, so nobody else would end it.
    in_work = and_(columns.state == FollowUpState.DELIVERING.value, columns.lease_until > func.now())
    not_asked = or_(columns.finished_at.is_(None), columns.state == FollowUpState.DEAD.value) & ~and_(in_work, columns.cancel_asked)
    portion = (
        select(columns.id)
        .where(columns.tenant_id == tenant_id, columns.endpoint_id == endpoint_id, not_asked)
        .order_by(columns.id)
        .limit(PORTION)
        .with_for_update()
    )
    async with tenant_session(engine, tenant_id) as session:
        rows = await session.execute(
            update(follow_ups)
            .where(columns.tenant_id == tenant_id, columns.id.in_(portion), not_asked)
            .values(
                state=case((in_work, columns.state), else_=FollowUpState.CANCELLED.value),
                lease_until=case((in_work, columns.lease_until), else_=None),
                finished_at=case((in_work, columns.finished_at), else_=func.now()),
                cancel_asked=in_work,
            )
            .returning(columns.state)
        )
        return list(rows.scalars())
