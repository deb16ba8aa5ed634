"""Cancel follow-ups, in the transaction in which their leads are taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, or_, update

from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class CancelledFollowUp:
    """One that is no longer wanted. `while_delivering`: an attempt runs, and the follow-up is cancelled only if that one fails."""

    id: UUID
    lead_id: UUID
    while_delivering: bool


async def cancel_follow_ups(session: TenantSession, tenant_id: UUID, lead_ids: Sequence[UUID]) -> list[CancelledFollowUp]:
    """Cancel what is still owed about these leads, the dead with it, so that nobody redrives it; what is delivered or cancelled stays so.

    A worker that claims or settles one of them at this moment goes first, and the state it leaves decides.
    """
    return await _cancel(session, tenant_id, follow_ups.c.lead_id.in_(lead_ids)) if lead_ids else []


async def cancel_one_follow_up(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> CancelledFollowUp | None:
    """The same for one of them by its id. None when there was nothing to cancel: it is not there, delivered, or cancelled already."""
    cancelled = await _cancel(session, tenant_id, follow_ups.c.id == follow_up_id)
    return cancelled[0] if cancelled else None


async def _cancel(session: TenantSession, tenant_id: UUID, which: ColumnElement[bool]) -> list[CancelledFollowUp]:
    in_work = follow_ups.c.state == FollowUpState.DELIVERING.value
    rows = await session.execute(
        update(follow_ups)
        .where(
            follow_ups.c.tenant_id == tenant_id,
            which,
            or_(follow_ups.c.finished_at.is_(None), follow_ups.c.state == FollowUpState.DEAD.value),
        )
        .values(
            state=case((in_work, follow_ups.c.state), else_=FollowUpState.CANCELLED.value),
            finished_at=case((in_work, follow_ups.c.finished_at), else_=func.now()),
            cancel_asked=in_work,
        )
        .returning(follow_ups.c.id, follow_ups.c.lead_id, follow_ups.c.state)
    )
    return [CancelledFollowUp(row.id, row.lead_id, row.state == FollowUpState.DELIVERING.value) for row in rows]
