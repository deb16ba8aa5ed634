"""One follow-up with all that is known of it: what is sent, every attempt, every receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select

from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.oversight.follow_up_list import ListedFollowUp, find_follow_up
from lead_signals.followups.oversight.receipt import follow_up_receipts
from lead_signals.tenancy.tenant_session import TenantSession

MOST_ATTEMPTS = 200  # one run of the schedule has 14; a follow-up that is redriven day after day has many


@dataclass(frozen=True, slots=True)
class ToldAttempt:
    """One attempt. `answer` is the first 2 KB of what the receiver said, as text: a stranger's words, hostile wherever they are shown.

    All but its number is None for one that a worker began and never came back from: it died, or lost the follow-up to another worker.
    Whether the receiver got it nobody knows.
    """

    attempt: int
    started_at: datetime | None
    duration_ms: int | None
    outcome: str | None
    http_status: int | None
    error: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class ToldReceipt:
    """One receipt, the receiver's words."""

    receipt_key: str
    status: str
    reference: str | None
    note: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class FollowUpDetail:
    """`body` is the request as every attempt carries it; `attempts` are the newest MOST_ATTEMPTS and `receipts` all, oldest first."""

    follow_up: ListedFollowUp
    body: Any
    attempts: list[ToldAttempt]
    receipts: list[ToldReceipt]


async def follow_up_detail(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> FollowUpDetail | None:
    """Everything about it; None when this tenant has no such follow-up."""
    listed = await find_follow_up(session, tenant_id, follow_up_id)
    if listed is None:
        return None
    where = (follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
    in_work = follow_ups.c.lease_until > func.now()
    row = (await session.execute(select(follow_ups.c.body, follow_ups.c.attempts, in_work.label("in_work")).where(*where))).one()
    recorded = await _attempts(session, tenant_id, follow_up_id)
    return FollowUpDetail(
        listed,
        _told_body(row.body),
        _with_unrecorded(recorded, ended=row.attempts - 1 if row.in_work else row.attempts),
        list(await _receipts(session, tenant_id, follow_up_id)),
    )


def _told_body(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


async def _attempts(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> Sequence[ToldAttempt]:
    attempts = delivery_attempts.c
    rows = await session.execute(
        select(delivery_attempts)
        .where(attempts.tenant_id == tenant_id, attempts.follow_up_id == follow_up_id)
        .order_by(attempts.attempt.desc())
        .limit(MOST_ATTEMPTS)
    )
    return [
        ToldAttempt(
            row.attempt,
            row.started_at,
            row.duration_ms,
            row.outcome,
            row.http_status,
            row.error_class,
            None if row.answer_head is None else bytes(row.answer_head).decode(errors="replace"),
        )
        for row in reversed(rows.all())
    ]


def _with_unrecorded(recorded: Sequence[ToldAttempt], *, ended: int) -> list[ToldAttempt]:
    """`ended`: how many began and do not run any more. A redrive after a crash forgets the claims behind the last one on record."""
    by_number = {attempt.attempt: attempt for attempt in recorded}
    last = max(ended, *by_number, 0)
    first = max(1, last - MOST_ATTEMPTS + 1)
    numbers = [number for number in range(first, last + 1) if number <= ended or number in by_number]
    return [by_number.get(number) or ToldAttempt(number, None, None, None, None, None, None) for number in numbers]


async def _receipts(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> Sequence[ToldReceipt]:
    receipts = follow_up_receipts.c
    rows = await session.execute(
        select(receipts.receipt_key, receipts.status, receipts.reference, receipts.note, receipts.received_at)
        .where(receipts.tenant_id == tenant_id, receipts.follow_up_id == follow_up_id)
        .order_by(receipts.received_at, receipts.receipt_key)
    )
    return [ToldReceipt(**row._mapping) for row in rows]
