"""Keep one promise: read what is owed, send it with no transaction open, write down what happened, settle."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.lease import Claim, settle
from lead_signals.database.outlast_outage import outlast_outage
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.follow_up import FollowUpState, follow_ups, webhook_id
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import CRASH_LIMIT, delay_after
from lead_signals.log_context import get_logger
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

log = get_logger(__name__)


class Destination(Protocol):
    """Somebody who receives follow-ups. Answers every send with one of three outcomes, and never raises."""

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class _Owed:
    body: bytes
    failures: int


@dataclass(frozen=True, slots=True)
class _Attempt:
    started_at: datetime
    duration_ms: int
    outcome: Outcome


async def deliver(engine: AsyncEngine, destination: Destination, claim: Claim, *, now: Callable[[], datetime]) -> None:
    """One attempt at one follow-up. Whatever happens is a row in delivery_attempts; the state moves only under our lease."""
    owed = await outlast_outage("read", partial(_read_owed, engine, claim), follow_up_id=str(claim.id))
    if owed is None:
        return
    started_at, clock = now(), time.monotonic()
    outcome = await destination.send(webhook_id(claim.id), owed.body, at=started_at)
    attempt = _Attempt(started_at, round((time.monotonic() - clock) * 1000), outcome)
    # Again and again, because forgetting would send twice.
    counted = await outlast_outage(
        "settle", partial(_write_down, engine, claim, attempt, failures_before=owed.failures), follow_up_id=str(claim.id)
    )
    log.info(
        "follow_up_attempted",
        tenant_id=str(claim.tenant_id),
        follow_up_id=str(claim.id),
        attempt=claim.attempts,
        outcome=outcome.kind.value,
        error=outcome.error_class,
        duration_ms=attempt.duration_ms,
        counted=counted,
    )


async def _read_owed(engine: AsyncEngine, claim: Claim) -> _Owed | None:
    """What to send; None when it is no longer ours or no longer wanted, or has killed so many workers that it dies here."""
    async with tenant_session(engine, claim.tenant_id) as session:
        last_recorded = (
            select(func.coalesce(func.max(delivery_attempts.c.attempt), 0))
            .where(delivery_attempts.c.tenant_id == claim.tenant_id, delivery_attempts.c.follow_up_id == claim.id)
            .scalar_subquery()
        )
        columns = (follow_ups.c.body, follow_ups.c.failures, follow_ups.c.cancel_asked, last_recorded.label("last_recorded"))
        row = (await session.execute(select(*columns).where(*_is(claim)))).one_or_none()
        if row is None:
            return None
        if row.cancel_asked:
            # Asked after the claim and before the call, or while a worker had it that died or gave it back.
            await settle(session, follow_ups, claim, _finished(FollowUpState.CANCELLED.value))
            log.info("follow_up_cancelled", follow_up_id=str(claim.id))
            return None
        if claim.attempts - row.last_recorded <= CRASH_LIMIT:
            return _Owed(row.body, row.failures)
        await settle(session, follow_ups, claim, _finished(_unless_cancelled(FollowUpState.DEAD)))
    log.error("follow_up_dead", follow_up_id=str(claim.id), reason="every attempt crashed its worker", attempts=claim.attempts)
    return None


async def _write_down(engine: AsyncEngine, claim: Claim, attempt: _Attempt, *, failures_before: int) -> bool:
    """Record and settle in one transaction. False when the row was claimed again since: then the attempt changes no state."""
    async with tenant_session(engine, claim.tenant_id) as session:
        await _record(session, claim, attempt)
        return await settle(session, follow_ups, claim, _next_state(attempt.outcome, failures_before))


async def _record(session: TenantSession, claim: Claim, attempt: _Attempt) -> None:
    # A commit whose answer was lost is written again: the attempt is the same one.
    await session.execute(
        insert(delivery_attempts)
        .values(
            tenant_id=claim.tenant_id,
            follow_up_id=claim.id,
            attempt=claim.attempts,
            started_at=attempt.started_at,
            duration_ms=attempt.duration_ms,
            outcome=attempt.outcome.kind.value,
            http_status=attempt.outcome.http_status,
            error_class=attempt.outcome.error_class,
            answer_head=attempt.outcome.answer_head,
        )
        .on_conflict_do_nothing()
    )


def _next_state(outcome: Outcome, failures_before: int) -> dict[str, Any]:
    if outcome.kind is OutcomeKind.DELIVERED:
        return _finished(FollowUpState.DELIVERED.value)
    failures = failures_before + 1
    delay = None if outcome.kind is OutcomeKind.GIVE_UP else delay_after(failures)
    if delay is None:
        return _finished(_unless_cancelled(FollowUpState.DEAD)) | {"failures": failures}
    return {
        "state": _unless_cancelled(FollowUpState.RETRYING),
        "finished_at": case((follow_ups.c.cancel_asked, func.now())),
        "failures": failures,
        "due_at": _from_now(delay),
    }


def _unless_cancelled(state: FollowUpState) -> ColumnElement[str]:
    """Decided by the row as it is when the UPDATE has it: a cancellation may have come while the receiver was called."""
    return case((follow_ups.c.cancel_asked, FollowUpState.CANCELLED.value), else_=state.value)


def _finished(state: str | ColumnElement[str]) -> dict[str, Any]:
    return {"state": state, "finished_at": func.now()}


def _from_now(delay: timedelta) -> Any:
    return func.now() + delay


def _is(claim: Claim) -> tuple[Any, ...]:
    return (follow_ups.c.tenant_id == claim.tenant_id, follow_ups.c.id == claim.id, follow_ups.c.lease_token == claim.lease_token)
