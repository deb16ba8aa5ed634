"""Remove an endpoint: its address and secrets are erased, and what is owed there is cancelled."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.followups.endpoints.cancel_owed import cancel_owed
from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.endpoints.named_endpoint import needs_its_tenant, no_such_endpoint, refuse_operators
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session


@dataclass(frozen=True, slots=True)
class RemovedEndpoint:
    """What was removed. `cancelled` follow-ups were owed there or dead; of those `in_delivery` the running attempt decides."""

    id: UUID
    tenant_id: UUID
    name: str
    cancelled: int
    in_delivery: int
    sentence: str


async def remove_endpoint(engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID) -> RemovedEndpoint:
    """Erase first, then cancel in portions: should we end in between, the worker's round goes on with it, or another call of this.

    Whoever promises a lead there at this moment goes first, and that promise is cancelled too; or waits for us, and promises it to who is
    left (`request_follow_ups`). Raises RefusedRequest: 404 when the tenant never had such an endpoint, 409 for WEBHOOK_URL, 422 without
    its tenant.
    """
    refuse_operators(endpoint_id, "empty it there and start API and worker again, or pause it here")
    whose = needs_its_tenant(endpoint_id, tenant_id)
    async with tenant_session(engine, whose) as session:
        row = await _locked(session, whose, endpoint_id)
        if row.removed_at is None:
            await _erase(session, row)
            event = AuditEvent(AuditEventType.ENDPOINT_REMOVED, "endpoint", endpoint_id, {"kind": row.kind}, actor=OPERATOR)
            await record(session, whose, [event])
        others = await _others(session, whose)
    cancelled = await cancel_owed(engine, whose, endpoint_id, actor=OPERATOR)
    return RemovedEndpoint(
        endpoint_id,
        whose,
        row.name,
        cancelled.now,
        cancelled.in_delivery,
        _sentence(others, operator_listens=settings.webhook_url is not None),
    )


async def _locked(session: TenantSession, tenant_id: UUID, endpoint_id: UUID) -> Row[Any]:
    columns = follow_up_endpoints.c
    wanted = select(follow_up_endpoints).where(columns.tenant_id == tenant_id, columns.id == endpoint_id)
    row = (await session.execute(wanted.with_for_update())).one_or_none()
    if row is None:
        raise no_such_endpoint(tenant_id, endpoint_id)
    return row


async def _erase(session: TenantSession, row: Row[Any]) -> None:
    """The row stays, so that its follow-ups keep a name."""
    await session.execute(
        update(follow_up_endpoints)
        .where(follow_up_endpoints.c.tenant_id == row.tenant_id, follow_up_endpoints.c.id == row.id)
        .values(
            sealed_address=None,
            shown_address="",
            sealed_secret=None,
            sealed_old_secret=None,
            old_secret_until=None,
            paused_at=None,
            pause_reason=None,
            removed_at=func.now(),
            changed_at=func.clock_timestamp(),
        )
    )


async def _others(session: TenantSession, tenant_id: UUID) -> int:
    columns = follow_up_endpoints.c
    live = select(func.count()).select_from(follow_up_endpoints).where(columns.tenant_id == tenant_id, columns.removed_at.is_(None))
    return int((await session.execute(live)).scalar_one())


def _sentence(others: int, *, operator_listens: bool) -> str:
    if others:
        return f"New urgent leads of this tenant are told to its {others} other endpoint{'' if others == 1 else 's'}."
    if operator_listens:
        return "The tenant has no endpoint of its own now: its new urgent leads are told to WEBHOOK_URL."
    return "The tenant has no endpoint now, and WEBHOOK_URL is not set: nobody is told of its urgent leads."
