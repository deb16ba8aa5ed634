"""Claim due follow-ups endpoint by endpoint, the fresh ones of each beside its oldest, in one statement."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery, Moment, databases_clock
from lead_signals.followups.retry_schedule import CRASH_LIMIT
from lead_signals.tenancy.tenant_session import AcrossTenantsSession

FRESH_SECONDS = 60  # a lead of this minute does not wait behind the backlog of a day
PASSED_BY = 200  # rows at the head of a queue that other workers may be taking at this moment, or have let go of


@dataclass(frozen=True, slots=True)
class Share:
    """How many follow-ups of one endpoint may be taken now: at most `most`, of which `fresh` are for those never tried and just due."""

    endpoint_id: UUID
    most: int
    fresh: int


async def claim_deliveries(
    session: AcrossTenantsSession, shares: Collection[Share], *, lease_seconds: float, rescue: bool = True, now: Moment = databases_clock
) -> list[ClaimedDelivery]:
    """Take what is due of each share, and skip what another worker is taking at this moment.

    First the fresh ones, the newest before the others, then the oldest of whatever kind; what one lane does not use the oldest get. Without
    `rescue`, rows whose worker let its lease run out are left alone.
    """
    if not shares:
        return []
    rows = await session.execute(
        _CLAIM,
        {
            "endpoint_ids": [share.endpoint_id for share in shares],
            "most": [share.most for share in shares],
            "fresh": [share.fresh for share in shares],
            "lease_seconds": lease_seconds,
            "rescue": rescue,
            "now": now(),
        },
    )
    return [ClaimedDelivery(*row) for row in rows]


# The newest of the fresh lane first: behind a crowd of this minute that nobody takes, a lead would wait until each of them was asked about.
# The walk is bounded because row-level security lets nobody use coalesce() as a bound of the index: of 100,000 retries that are not due
# yet, a claim would read each. The lock is the one an UPDATE takes that changes no key: receipts and attempts may refer to the row
# meanwhile. MATERIALIZED: inlined into the UPDATE the planner may run a LIMIT more than once and claim too many.
_CLAIM = text(f"""
    WITH share AS MATERIALIZED (
        SELECT s.endpoint_id, s.most, s.fresh, coalesce(CAST(:now AS timestamptz), now()) AS at
        FROM unnest(CAST(:endpoint_ids AS uuid[]), CAST(:most AS integer[]), CAST(:fresh AS integer[])) AS s (endpoint_id, most, fresh)
    ), fresh AS MATERIALIZED (
        SELECT lane.* FROM share CROSS JOIN LATERAL (
            SELECT f.endpoint_id, f.tenant_id, f.id, f.state FROM follow_ups f
            WHERE f.endpoint_id = share.endpoint_id AND f.state = 'pending'
              AND f.due_at <= share.at AND f.due_at > share.at - interval '{FRESH_SECONDS} seconds'
            ORDER BY f.due_at DESC LIMIT share.fresh
            FOR NO KEY UPDATE SKIP LOCKED
        ) lane
    ), oldest AS MATERIALIZED (
        SELECT lane.* FROM share CROSS JOIN LATERAL (
            SELECT array_agg(fresh.id) AS ids, count(*) AS taken FROM fresh WHERE fresh.endpoint_id = share.endpoint_id
        ) beside CROSS JOIN LATERAL (
            SELECT f.endpoint_id, f.tenant_id, f.id, f.state FROM (
                SELECT w.tenant_id, w.id, coalesce(w.lease_until, w.due_at) AS claimable_at FROM follow_ups w
                WHERE w.endpoint_id = share.endpoint_id AND w.finished_at IS NULL
                ORDER BY w.endpoint_id, coalesce(w.lease_until, w.due_at), w.id LIMIT share.most + {PASSED_BY}
            ) walk JOIN follow_ups f ON f.tenant_id = walk.tenant_id AND f.id = walk.id
            WHERE walk.claimable_at <= share.at AND f.finished_at IS NULL AND coalesce(f.lease_until, f.due_at) <= share.at
              AND (CAST(:rescue AS boolean) OR f.lease_until IS NULL)
              AND (beside.ids IS NULL OR f.id <> ALL (beside.ids))
            ORDER BY walk.claimable_at, walk.id LIMIT share.most - beside.taken
            FOR NO KEY UPDATE OF f SKIP LOCKED
        ) lane
    ), due AS (
        SELECT * FROM fresh UNION ALL SELECT * FROM oldest
    )
    UPDATE follow_ups AS f
    SET state = 'delivering', attempts = f.attempts + 1, lease_token = f.lease_token + 1,
        lease_until = coalesce(CAST(:now AS timestamptz), now()) + make_interval(secs => CAST(:lease_seconds AS double precision))
    FROM due
    WHERE f.tenant_id = due.tenant_id AND f.id = due.id
    RETURNING f.tenant_id, f.id, f.lease_token, f.attempts, due.state, f.endpoint_id, f.body, f.failures, f.cancel_asked, f.begun_at,
        CASE WHEN f.attempts > {CRASH_LIMIT} THEN (
            SELECT coalesce(max(a.attempt), 0) FROM delivery_attempts a WHERE a.tenant_id = f.tenant_id AND a.follow_up_id = f.id
        ) END""")  # noqa: S608 - numbers of ours
