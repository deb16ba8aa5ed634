"""Pause an endpoint and resume it: what is owed there waits, and nothing is lost."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, update

from lead_signals.audit.audit_event import OPERATOR, SYSTEM, AuditEvent, AuditEventType, record
from lead_signals.database.wake_up import announce_due_work
from lead_signals.followups.endpoints.endpoint import PauseReason, follow_up_endpoints
from lead_signals.followups.follow_up import FOLLOW_UP_WORK
from lead_signals.tenancy.tenant_session import TenantSession


async def pause_endpoint(session: TenantSession, tenant_id: UUID, endpoint_id: UUID, reason: PauseReason) -> bool:
    """Pause an endpoint of the tenant; False when it was paused before (the reason of then stays), or is not there."""
    paused = await session.execute(
        update(follow_up_endpoints)
        .where(_live(tenant_id, endpoint_id), follow_up_endpoints.c.paused_at.is_(None))
        .values(paused_at=func.now(), pause_reason=reason.value, changed_at=func.clock_timestamp())
        .returning(follow_up_endpoints.c.id)
    )
    if paused.first() is None:
        return False
    actor = SYSTEM if reason is PauseReason.GONE else OPERATOR
    await _audit(session, tenant_id, endpoint_id, {"paused": reason.value}, actor)
    return True


async def resume_endpoint(session: TenantSession, tenant_id: UUID, endpoint_id: UUID) -> bool:
    """Let what waits go on, at once; False when it was not paused, or is not there."""
    resumed = await session.execute(
        update(follow_up_endpoints)
        .where(_live(tenant_id, endpoint_id), follow_up_endpoints.c.paused_at.is_not(None))
        .values(paused_at=None, pause_reason=None, changed_at=func.clock_timestamp())
        .returning(follow_up_endpoints.c.id)
    )
    if resumed.first() is None:
        return False
    await _audit(session, tenant_id, endpoint_id, {"paused": None}, OPERATOR)
    await announce_due_work(session, FOLLOW_UP_WORK)
    return True


def _live(tenant_id: UUID, endpoint_id: UUID) -> ColumnElement[bool]:
    columns = follow_up_endpoints.c
    return and_(columns.tenant_id == tenant_id, columns.id == endpoint_id, columns.removed_at.is_(None))


async def _audit(session: TenantSession, tenant_id: UUID, endpoint_id: UUID, detail: dict[str, str | None], actor: str) -> None:
    await record(session, tenant_id, [AuditEvent(AuditEventType.ENDPOINT_CHANGED, "endpoint", endpoint_id, detail, actor=actor)])
