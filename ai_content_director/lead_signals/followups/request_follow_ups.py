"""Promise follow-ups, in the transaction of the leads they are about. Nothing is called here: the worker keeps the promise."""

from collections.abc import Sequence
from uuid import UUID

from lead_signals.database.insert_rows import insert_rows
from lead_signals.database.new_id import new_id
from lead_signals.database.wake_up import announce_due_work
from lead_signals.followups.follow_up import N8N, follow_ups
from lead_signals.followups.request import FollowUpRequest
from lead_signals.tenancy.tenant_session import TenantSession

FOLLOW_UP_WORK = "follow_ups"


async def request_follow_ups(session: TenantSession, tenant_id: UUID, requests: Sequence[FollowUpRequest]) -> None:
    """Owe n8n each of these requests; what is owed for a lead already stays as it is. Wakes the worker at commit."""
    if not requests:
        return
    await insert_rows(
        session,
        follow_ups,
        [
            {"tenant_id": tenant_id, "id": new_id(), "lead_id": request.lead_id, "destination": N8N, "body": request.body()}
            for request in requests
        ],
        on_conflict="ON CONFLICT (tenant_id, lead_id, destination) DO NOTHING",
    )
    await announce_due_work(session, FOLLOW_UP_WORK)
