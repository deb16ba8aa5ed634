"""Send one follow-up again: a dead one starts its schedule anew, one that waits for its next try is due now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, func, select, update

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.database.wake_up import announce_due_work
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.follow_up import FOLLOW_UP_WORK, FollowUpState, follow_ups, webhook_id
from lead_signals.followups.oversight.held_back import held_back
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import TenantSession

_NEVER_TRIED = "It was never tried and is due already."
_NOW = "A running worker sends it now."
_NOT_AGAIN = {
    FollowUpState.DELIVERING: "It is being delivered at this moment; look at how that ends first.",
    FollowUpState.DELIVERED: "It is delivered: the receiver answered 2xx. Nothing is sent twice on purpose.",
    FollowUpState.CANCELLED: "It is cancelled: the message was taken back or somebody called it off. It cannot be sent again.",
}


@dataclass(frozen=True, slots=True)
class Redriven:
    """A follow-up that is due now. `sentence` says what happens next."""

    id: UUID
    webhook_id: str
    tenant_id: UUID
    state: str
    due_at: datetime
    sentence: str


async def redrive(session: TenantSession, settings: Settings, tenant_id: UUID, follow_up_id: UUID) -> Redriven:
    """Make it due now, audited, and wake the worker at commit; one that is due already stays as it is. A paused endpoint is told.

    Raises RefusedRequest: 404 when this tenant has no such follow-up; 409 when its state or its removed endpoint does not allow it.
    """
    row = await _hold(session, tenant_id, follow_up_id)
    if row is None:
        raise RefusedRequest(404, "unknown_follow_up", f"Tenant {tenant_id} has no follow-up {follow_up_id}.")
    state = FollowUpState(row.state)
    if (refusal := _NOT_AGAIN.get(state)) is not None:
        raise RefusedRequest(409, "not_again", refusal)
    if row.removed_at is not None:
        raise RefusedRequest(409, "removed_endpoint", "Its endpoint was removed, and its address with it: there is nowhere to send it.")
    next_ = (await held_back(session, settings, [row.endpoint_id])).get(row.endpoint_id, _NOW)
    if state is FollowUpState.PENDING:
        raise RefusedRequest(409, "not_again", f"{_NEVER_TRIED} {next_}")
    if state is FollowUpState.RETRYING and row.is_due:
        return _told(tenant_id, follow_up_id, row.due_at, f"It was due already: nothing had to be changed. {next_}")
    due_at = (
        await session.execute(
            update(follow_ups)
            .where(follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
            .values(**(started_anew() if state is FollowUpState.DEAD else {}), due_at=func.clock_timestamp())
            .returning(follow_ups.c.due_at)
        )
    ).scalar_one()
    detail = {"state_before": state.value, "failures_before": row.failures, "lead_id": str(row.lead_id)}
    await record(session, tenant_id, [AuditEvent(AuditEventType.FOLLOW_UP_REDRIVEN, "follow_up", follow_up_id, detail, OPERATOR)])
    await announce_due_work(session, FOLLOW_UP_WORK)
    return _told(tenant_id, follow_up_id, due_at, next_)


def started_anew() -> dict[str, Any]:
    """What makes a dead follow-up one that begins its schedule again.

    Claims beyond the last attempt on record are claims that killed their worker. They are forgotten too: a follow-up that died of them
    would die at its next claim without being tried. And its age counts from the next try: an old one would die of its first fourteen.
    """
    return {"state": FollowUpState.RETRYING.value, "failures": 0, "begun_at": None, "finished_at": None, "attempts": _last_recorded()}


def _last_recorded() -> ScalarSelect[int]:
    attempts = delivery_attempts.c
    return (
        select(func.coalesce(func.max(attempts.attempt), 0))
        .where(attempts.tenant_id == follow_ups.c.tenant_id, attempts.follow_up_id == follow_ups.c.id)
        .correlate(follow_ups)
        .scalar_subquery()
    )


async def _hold(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> Row[Any] | None:
    """The follow-up, locked; with the removal of its endpoint; the operator's own (WEBHOOK_URL) has no row."""
    endpoints = follow_up_endpoints.c
    return (
        await session.execute(
            select(
                follow_ups.c.state,
                follow_ups.c.lead_id,
                follow_ups.c.failures,
                follow_ups.c.due_at,
                (follow_ups.c.due_at <= func.clock_timestamp()).label("is_due"),
                follow_ups.c.endpoint_id,
                endpoints.removed_at,
            )
            .outerjoin_from(
                follow_ups,
                follow_up_endpoints,
                (endpoints.tenant_id == follow_ups.c.tenant_id) & (endpoints.id == follow_ups.c.endpoint_id),
            )
            .where(follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
            .with_for_update(of=follow_ups)
        )
    ).one_or_none()


def _told(tenant_id: UUID, follow_up_id: UUID, due_at: datetime, sentence: str) -> Redriven:
    return Redriven(follow_up_id, webhook_id(follow_up_id), tenant_id, FollowUpState.RETRYING.value, due_at, sentence)
