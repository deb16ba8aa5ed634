"""Write settlements: attempts and states of many follow-ups of many tenants, in one transaction and one statement."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.delivering.claimed_delivery import Moment, databases_clock
from lead_signals.followups.delivering.index_walks import walk_indexes
from lead_signals.followups.delivering.settlement import Settlement
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.tenancy.tenant_session import across_tenants_session


async def write_settlements(
    engine: AsyncEngine, settlements: Sequence[Settlement], *, now: Moment = databases_clock
) -> dict[UUID, FollowUpState]:
    """The state of each follow-up that was still ours; of the others, claimed again since, only the attempt is recorded.

    The same settlements again, as when the answer to a commit was lost, record no second attempt; whoever was settled then is not told
    again. Raises what the driver raises.
    """
    rows = orjson.dumps([_row(settlement) for settlement in settlements]).decode()
    async with across_tenants_session(engine) as session:
        await walk_indexes(session)
        settled = await session.execute(_SETTLE, {"rows": rows, "now": now()})
        return {row[0]: FollowUpState(row[1]) for row in settled}


def _row(settlement: Settlement) -> dict[str, Any]:
    delivery, attempt, due_in = settlement.delivery, settlement.attempt, settlement.due_in
    row: dict[str, Any] = {
        "tenant_id": str(delivery.tenant_id),
        "id": str(delivery.id),
        "lease_token": delivery.lease_token,
        "attempt": delivery.attempts,
        "state": settlement.state.value,
        "failures": settlement.failures,
        "due_in_seconds": None if due_in is None else due_in.total_seconds(),
        "claims_back": settlement.claims_back,
    }
    if attempt is not None:
        head = attempt.outcome.answer_head
        row |= {
            "started_at": attempt.started_at.isoformat(),
            "duration_ms": attempt.duration_ms,
            "outcome": attempt.outcome.kind.value,
            "http_status": attempt.outcome.http_status,
            "error_class": attempt.outcome.error_class,
            "answer_head": None if head is None else f"\\x{head.hex()}",
        }
    return row


# `mine` locks in one order, as the renewal does, and each row is decided as it stands then: who waited for a cancellation sees it.
# A row that was in a dead worker's hands and is given back stays in work, under a lease that ends now.
_SETTLE = text("""
    WITH ended AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS e (
            tenant_id uuid, id uuid, lease_token bigint, attempt integer, state text, failures integer, due_in_seconds double precision,
            claims_back integer, started_at timestamptz, duration_ms integer, outcome text, http_status integer, error_class text,
            answer_head bytea)
    ), recorded AS (
        INSERT INTO delivery_attempts
            (tenant_id, follow_up_id, attempt, started_at, duration_ms, outcome, http_status, error_class, answer_head)
        SELECT tenant_id, id, attempt, started_at, duration_ms, outcome, http_status, error_class, answer_head
        FROM ended WHERE started_at IS NOT NULL
        ON CONFLICT DO NOTHING
    ), mine AS MATERIALIZED (
        SELECT held.cancel_asked, e.* FROM (SELECT * FROM ended ORDER BY tenant_id, id) e CROSS JOIN LATERAL (
            SELECT f.cancel_asked FROM follow_ups f
            WHERE f.tenant_id = e.tenant_id AND f.id = e.id AND f.lease_token = e.lease_token
              AND f.finished_at IS NULL AND f.lease_until IS NOT NULL
            FOR NO KEY UPDATE
        ) held
    ), decided AS (
        SELECT *, CASE WHEN cancel_asked AND state IN ('pending', 'retrying', 'dead') THEN 'cancelled' ELSE state END AS becomes,
            coalesce(CAST(:now AS timestamptz), now()) AS at
        FROM mine
    )
    UPDATE follow_ups AS f
    SET state = d.becomes,
        finished_at = CASE WHEN d.becomes IN ('delivered', 'dead', 'cancelled') THEN d.at END,
        lease_until = CASE WHEN d.becomes = 'delivering' THEN d.at END,
        failures = d.failures,
        begun_at = coalesce(f.begun_at, d.started_at),
        attempts = f.attempts - d.claims_back,
        due_at = coalesce(d.at + make_interval(secs => d.due_in_seconds), f.due_at)
    FROM decided d
    WHERE f.tenant_id = d.tenant_id AND f.id = d.id
    RETURNING f.id, f.state""")
