"""Call one follow-up off because an operator says so: what a removed message does by itself, for one by hand."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.followups.cancel_follow_ups import cancel_one_follow_up
from lead_signals.followups.follow_up import FollowUpState, follow_ups, webhook_id
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class CalledOff:
    """`while_delivering`: an attempt runs at this moment, and the follow-up is cancelled only if that one fails."""

    id: UUID
    webhook_id: str
    tenant_id: UUID
    while_delivering: bool
    sentence: str


async def call_off(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> CalledOff:
    """Cancel it, audited. A dead one too: then nobody redrives it.

    Raises RefusedRequest: 404 when this tenant has no such follow-up; 409 when it is delivered or cancelled already.
    """
    cancelled = await cancel_one_follow_up(session, tenant_id, follow_up_id)
    if cancelled is None:
        raise await _why_not(session, tenant_id, follow_up_id)
    detail = {"lead_id": str(cancelled.lead_id), "while_delivering": cancelled.while_delivering}
    await record(session, tenant_id, [AuditEvent(AuditEventType.FOLLOW_UP_CANCELLED, "follow_up", follow_up_id, detail, OPERATOR)])
    asked = "An attempt runs at this moment: if it delivers, that counts; if it fails, nothing follows."
    sentence = asked if cancelled.while_delivering else "It is cancelled: nothing more is sent."
    return CalledOff(follow_up_id, webhook_id(follow_up_id), tenant_id, cancelled.while_delivering, sentence)


async def _why_not(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> RefusedRequest:
    where = (follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
    state = (await session.execute(select(follow_ups.c.state).where(*where))).scalar_one_or_none()
    if state is None:
        return RefusedRequest(404, "unknown_follow_up", f"Tenant {tenant_id} has no follow-up {follow_up_id}.")
    if state == FollowUpState.DELIVERED.value:
        return RefusedRequest(409, "delivered", "It is delivered: what the receiver has cannot be called off.")
    return RefusedRequest(409, "cancelled", "It is cancelled already: nothing more is sent.")
