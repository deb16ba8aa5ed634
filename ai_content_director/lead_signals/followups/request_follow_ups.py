"""Promise follow-ups, in the transaction of the leads they are about. Nothing is called here: the worker keeps the promise."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from lead_signals.database.insert_rows import insert_rows
from lead_signals.database.new_id import new_id
from lead_signals.database.wake_up import announce_due_work
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, follow_up_endpoints
from lead_signals.followups.follow_up import FOLLOW_UP_WORK, follow_ups
from lead_signals.followups.request import FollowUpRequest
from lead_signals.tenancy.tenant_session import TenantSession


async def request_follow_ups(
    session: TenantSession, tenant_id: UUID, requests: Sequence[FollowUpRequest], *, operator_listens: bool
) -> None:
    """Owe each of these requests to each endpoint of the tenant; to the operator's (WEBHOOK_URL) when the tenant has none of its own.

    Without either nothing is owed. What is owed for a lead already stays as it is. Wakes the worker at commit.
    """
    if not requests:
        return
    endpoint_ids = await _listening(session, tenant_id) or ([OPERATORS_ENDPOINT] if operator_listens else [])
    if not endpoint_ids:
        return
    bodies = [(request.lead_id, request.body()) for request in requests]
    await insert_rows(
        session,
        follow_ups,
        [
            {"tenant_id": tenant_id, "id": new_id(), "lead_id": lead_id, "endpoint_id": endpoint_id, "body": body}
            for lead_id, body in bodies
            for endpoint_id in endpoint_ids
        ],
        on_conflict="ON CONFLICT (tenant_id, lead_id, endpoint_id) DO NOTHING",
    )
    await announce_due_work(session, FOLLOW_UP_WORK)


async def _listening(session: TenantSession, tenant_id: UUID) -> Sequence[UUID]:
    """A paused endpoint is owed as well: its follow-ups wait until it is resumed.

    The rows are locked against removal until the promise is committed: else who is removed at this moment would be owed the lead, nobody
    else told of it, and the promise cancelled by nobody. Pauses and other promises do not wait for this lock.
    """
    rows = await session.execute(
        select(follow_up_endpoints.c.id)
        .where(follow_up_endpoints.c.tenant_id == tenant_id, follow_up_endpoints.c.removed_at.is_(None))
        .order_by(follow_up_endpoints.c.id)
        .with_for_update(read=True, key_share=True)
    )
    return rows.scalars().all()
