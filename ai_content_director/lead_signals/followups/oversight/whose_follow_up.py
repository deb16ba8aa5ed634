"""Whose a follow-up is: for an operator who has only its webhook-id, out of a receiver's log."""

from uuid import UUID

from sqlalchemy import exists, select

from lead_signals.followups.follow_up import follow_ups
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.tenant import tenants
from lead_signals.tenancy.tenant_session import AcrossTenantsSession


async def whose_follow_up(session: AcrossTenantsSession, follow_up_id: UUID) -> UUID:
    """The id of its tenant. Raises RefusedRequest (404) when no tenant has it. One look into an index for each tenant."""
    has_it = exists().where(follow_ups.c.tenant_id == tenants.c.id, follow_ups.c.id == follow_up_id)
    found: UUID | None = (await session.execute(select(tenants.c.id).where(has_it))).scalar_one_or_none()
    if found is None:
        raise RefusedRequest(404, "unknown_follow_up", f"No tenant has a follow-up {follow_up_id}; see lead-signals followups list.")
    return found
