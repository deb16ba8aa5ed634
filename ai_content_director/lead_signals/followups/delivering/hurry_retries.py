"""Hurry retries: an endpoint is back, so what waits for its next try there is due now and not tomorrow.

A lead of last night has failed some ten times by morning and would be tried again in half a day. The tries keep counting, and the schedule
lasts as long as it would have (`retry_schedule.delay_after`); the gate says when (`EndpointGates.end`), and keeps the endpoint from being
overrun.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.availability import database_is_away
from lead_signals.followups.delivering.claimed_delivery import Moment, databases_clock
from lead_signals.followups.delivering.index_walks import walk_indexes
from lead_signals.log_context import get_logger
from lead_signals.tenancy.tenant_session import across_tenants_session

log = get_logger(__name__)

PORTION: Final = 1000  # rows of one transaction
IN_WORK: Final = 2000  # under a lease, they stand at the far end of the queue too and are passed by


async def hurry_retries(engine: AsyncEngine, endpoint_id: UUID, *, now: Moment = databases_clock) -> int:
    """Make due what is `retrying` at this endpoint, and say how many. A database that is away leaves them to their schedule."""
    hurried = 0
    try:
        while True:
            async with across_tenants_session(engine) as session:
                await walk_indexes(session)
                found = await session.execute(_HURRY, {"endpoint_id": endpoint_id, "now": now()})
                portion = len(found.all())
            hurried += portion
            if portion < PORTION:
                break
    except Exception as error:
        if not database_is_away(error):
            raise
        log.warning("hurry_left_out", endpoint_id=str(endpoint_id), error=error.__class__.__name__)
    if hurried:
        log.info("retries_hurried", endpoint_id=str(endpoint_id), rows=hurried)
    return hurried


# From the far end of the endpoint's queue, where those stand that are due last; of a long backlog nothing else is read.
_HURRY = text(f"""
    WITH far AS MATERIALIZED (
        SELECT f.tenant_id, f.id FROM follow_ups f WHERE f.endpoint_id = :endpoint_id AND f.finished_at IS NULL
        ORDER BY f.endpoint_id DESC, coalesce(f.lease_until, f.due_at) DESC, f.id DESC LIMIT {PORTION + IN_WORK}
    ), later AS MATERIALIZED (
        SELECT held.* FROM far CROSS JOIN LATERAL (
            SELECT f.tenant_id, f.id FROM follow_ups f
            WHERE f.tenant_id = far.tenant_id AND f.id = far.id AND f.state = 'retrying'
              AND f.due_at > coalesce(CAST(:now AS timestamptz), now())
            FOR NO KEY UPDATE SKIP LOCKED
        ) held LIMIT {PORTION}
    )
    UPDATE follow_ups AS f SET due_at = coalesce(CAST(:now AS timestamptz), now())
    FROM later WHERE f.tenant_id = later.tenant_id AND f.id = later.id
    RETURNING f.id""")  # noqa: S608 - numbers of ours
