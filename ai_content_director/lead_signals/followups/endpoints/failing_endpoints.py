"""Failing endpoints: who listens and takes nothing. Retries will go on for days; a person should hear of it within minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.followups.endpoints.endpoint_backlog import LATELY, EndpointBacklog

FAILED_TRIES: Final = 5  # as many as shut a gate
LONG_ENOUGH: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class FailingEndpoint:
    """`since`: when the first try began of those that failed, with nothing delivered there afterwards. `delivered_at`: when something was,
    before that; None without any delivery of what was promised in the last four days."""

    since: datetime
    delivered_at: datetime | None


async def failing_endpoints(
    session: AsyncConnection, *, now: datetime, endpoint_ids: Sequence[UUID] | None = None
) -> Mapping[UUID, FailingEndpoint]:
    """Those of all endpoints that the session sees, or of these, at which five tries failed of follow-ups that were begun since the last
    delivery, the first of them five minutes ago. One bad message among good ones makes no endpoint fail. Who is paused or removed does not
    fail; WEBHOOK_URL may be among them while it is paused, or is set no more.
    """
    told = {"endpoint_ids": endpoint_ids, "tries": FAILED_TRIES, "long_enough": now - LONG_ENOUGH, "lately": now - LATELY}
    rows = await session.execute(_FAILING, told)
    return {row.endpoint_id: FailingEndpoint(row.since, row.delivered_at) for row in rows}


def failing_sentence(failing: FailingEndpoint, backlog: EndpointBacklog) -> str:
    """What a person reads: since when, why, and what waits."""
    why = "" if backlog.last_failure is None else f", last by {backlog.last_failure}"
    wait = "1 follow-up waits" if backlog.waiting == 1 else f"{backlog.waiting:,} follow-ups wait"
    delivered = (
        "nothing delivered in the last four days" if failing.delivered_at is None else f"last delivered {_moment(failing.delivered_at)}"
    )
    return f"It has failed since {_moment(failing.since)}{why}; {wait}; {delivered}."


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


# What is owed has an index of its own, and little of it has failed even in a long outage: gates let a probe a minute through. Only while
# an endpoint looks as if it failed, what was promised lately is read, once for all of them: 0.35 s for half a million.
_FAILING = text(
    """
    WITH failed AS MATERIALIZED (
        SELECT endpoint_id, failures, coalesce(begun_at, created_at) AS begun_at FROM follow_ups
        WHERE finished_at IS NULL AND failures > 0
          AND (CAST(:endpoint_ids AS uuid[]) IS NULL OR endpoint_id = ANY(CAST(:endpoint_ids AS uuid[])))
    ), suspect AS MATERIALIZED (
        SELECT endpoint_id FROM failed
        WHERE NOT endpoint_id = ANY(ARRAY(SELECT id FROM follow_up_endpoints WHERE paused_at IS NOT NULL OR removed_at IS NOT NULL))
        GROUP BY endpoint_id HAVING sum(failures) >= :tries AND min(begun_at) <= :long_enough
    ), heard AS MATERIALIZED (
        SELECT endpoint_id, max(finished_at) AS delivered_at FROM follow_ups
        WHERE state = 'delivered' AND created_at >= :lately AND endpoint_id = ANY(ARRAY(SELECT endpoint_id FROM suspect))
          AND EXISTS (SELECT FROM suspect)
        GROUP BY endpoint_id
    )
    SELECT endpoint_id, min(begun_at) AS since, max(delivered_at) AS delivered_at
    FROM failed JOIN suspect USING (endpoint_id) LEFT JOIN heard USING (endpoint_id)
    WHERE delivered_at IS NULL OR begun_at > delivered_at
    GROUP BY endpoint_id HAVING sum(failures) >= :tries AND min(begun_at) <= :long_enough
    """
).bindparams(bindparam("endpoint_ids", type_=ARRAY(Uuid)))
