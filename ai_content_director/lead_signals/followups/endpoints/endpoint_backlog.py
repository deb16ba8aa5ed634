"""What is owed at an endpoint, and how it went there lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

LATELY = timedelta(days=4)  # longer than a promise is tried for


@dataclass(frozen=True, slots=True)
class EndpointBacklog:
    """`waiting`: promised and not yet delivered, an attempt that runs included. What was delivered or failed is told of what was
    promised in the last four days; `last_failure` is one word, such as Timeout or HTTP502."""

    waiting: int = 0
    oldest_waiting_seconds: float | None = None
    dead: int = 0
    last_delivered_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_failure: str | None = None


NOTHING_WAITS = EndpointBacklog()


async def endpoint_backlogs(session: AsyncConnection, endpoint_ids: Sequence[UUID], *, now: datetime) -> Mapping[UUID, EndpointBacklog]:
    """The backlog of each endpoint, of those rows that the session sees. Who is owed nothing and was told nothing is absent."""
    if not endpoint_ids:
        return {}
    told = {"endpoint_ids": list(endpoint_ids), "now": now, "lately": now - LATELY}
    rows = await session.execute(_BACKLOGS, told)
    return {
        row.endpoint_id: EndpointBacklog(
            row.waiting,
            None if row.oldest is None else max(0.0, (now - row.oldest).total_seconds()),
            row.dead,
            row.delivered_at,
            row.failed_at,
            row.failure,
        )
        for row in rows
    }


# Each part walks an index of its own: what is unfinished, what is dead, and by time what was promised lately.
_BACKLOGS = text(
    """
    WITH waiting AS (
        SELECT endpoint_id, count(*) AS waiting, min(created_at) AS oldest
        FROM follow_ups WHERE finished_at IS NULL AND endpoint_id = ANY(:endpoint_ids) GROUP BY endpoint_id
    ), dead AS (
        SELECT endpoint_id, count(*) AS dead FROM follow_ups WHERE state = 'dead' AND endpoint_id = ANY(:endpoint_ids) GROUP BY endpoint_id
    ), delivered AS (
        SELECT endpoint_id, max(finished_at) AS delivered_at FROM follow_ups
        WHERE state = 'delivered' AND created_at >= :lately AND endpoint_id = ANY(:endpoint_ids) GROUP BY endpoint_id
    ), failed AS (
        SELECT DISTINCT ON (owed.endpoint_id) owed.endpoint_id, tried.started_at AS failed_at, tried.error_class AS failure
        FROM follow_ups AS owed
        JOIN delivery_attempts AS tried ON tried.tenant_id = owed.tenant_id AND tried.follow_up_id = owed.id
        WHERE owed.failures > 0 AND owed.created_at >= :lately AND owed.endpoint_id = ANY(:endpoint_ids) AND tried.outcome <> 'delivered'
        ORDER BY owed.endpoint_id, tried.started_at DESC
    )
    SELECT endpoint_id, coalesce(waiting, 0) AS waiting, oldest, coalesce(dead, 0) AS dead, delivered_at, failed_at, failure
    FROM waiting FULL JOIN dead USING (endpoint_id) FULL JOIN delivered USING (endpoint_id) FULL JOIN failed USING (endpoint_id)
    """
).bindparams(bindparam("endpoint_ids", type_=ARRAY(Uuid)))
