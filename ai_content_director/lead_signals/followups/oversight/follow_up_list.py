"""A page of follow-ups, newest first, of one tenant or of all, and how many stand in each state under the same filter.

Ids are made in the order of time (UUID version 7), so a page goes by them. Over all tenants it is put together from the newest of
each, by walking each tenant's index from its end: 10 ms beside a million rows, where sorting everybody's takes 650.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select, text, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import FromClause

from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, EndpointKind, follow_up_endpoints
from lead_signals.followups.endpoints.free_name import OPERATORS_ENDPOINT_NAME
from lead_signals.followups.follow_up import FollowUpState, follow_ups, webhook_id
from lead_signals.followups.oversight.receipt import ReceiptStatus, follow_up_receipts
from lead_signals.tenancy.tenant import tenants
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession

_FINISHED = frozenset({FollowUpState.DELIVERED, FollowUpState.DEAD, FollowUpState.CANCELLED})
_OF_THE_ROW = (
    "id", "tenant_id", "lead_id", "endpoint_id", "state", "cancel_asked", "created_at", "due_at", "finished_at", "attempts", "failures",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FollowUpFilter:
    """Which follow-ups; what is left out does not narrow. `promised_before_minutes`: promised at least that long ago."""

    states: frozenset[FollowUpState] = field(default_factory=frozenset)
    endpoint_id: UUID | None = None
    lead_id: UUID | None = None
    promised_before_minutes: int | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """Its conditions. A partial index is only used where its own condition stands in the query."""
        wanted: list[ColumnElement[bool]] = []
        if len(self.states) == 1:
            wanted.append(follow_ups.c.state == next(iter(self.states)).value)
        elif self.states:
            wanted.append(follow_ups.c.state.in_(sorted(state.value for state in self.states)))
        if self.states and not self.states & _FINISHED:
            wanted.append(follow_ups.c.finished_at.is_(None))
        if self.endpoint_id is not None:
            wanted.append(follow_ups.c.endpoint_id == self.endpoint_id)
        if self.lead_id is not None:
            wanted.append(follow_ups.c.lead_id == self.lead_id)
        if self.promised_before_minutes is not None:
            wanted.append(follow_ups.c.created_at <= func.now() - timedelta(minutes=self.promised_before_minutes))
        return wanted

    @property
    def is_met_soon(self) -> bool:
        """Whether who walks a tenant's follow-ups from the newest meets those that fit before having read most of them."""
        if self.lead_id is not None or self.states == {FollowUpState.DEAD}:
            return True  # an index holds just those
        is_common = not self.states or FollowUpState.DELIVERED in self.states
        return is_common and self.promised_before_minutes is None and self.endpoint_id != OPERATORS_ENDPOINT


@dataclass(frozen=True, slots=True)
class ToldEndpoint:
    """To whom it is owed, without any address."""

    id: UUID
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """How the last time went. `error` is one word, such as HTTP500 or Timeout; None after a delivery."""

    started_at: datetime
    outcome: str
    http_status: int | None
    error: str | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ToldReceipts:
    """When the receiver said each of its words first, and the last reference that it gave."""

    accepted_at: datetime | None
    done_at: datetime | None
    failed_at: datetime | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class ListedFollowUp:
    """One follow-up without anybody's words or numbers. `attempts` counts claims by workers, `failures` failed attempts since it was
    promised or redriven; `age_seconds` is since the promise."""

    id: UUID
    webhook_id: str
    tenant_id: UUID
    lead_id: UUID
    endpoint: ToldEndpoint
    state: str
    cancel_asked: bool
    created_at: datetime
    age_seconds: float
    due_at: datetime
    finished_at: datetime | None
    attempts: int
    failures: int
    last_attempt: LastAttempt | None
    receipts: ToldReceipts


async def list_follow_ups(
    session: TenantSession | AcrossTenantsSession,
    tenant_id: UUID | None,
    wanted: FollowUpFilter,
    *,
    limit: int,
    before: UUID | None = None,
) -> Sequence[ListedFollowUp]:
    """Up to `limit` of them, newest first, older than the follow-up `before`; of all tenants (an AcrossTenantsSession) without one."""
    where = wanted.where() + ([] if before is None else [follow_ups.c.id < before])
    newest = select(follow_ups.c.tenant_id, follow_ups.c.id).where(*where).order_by(follow_ups.c.id.desc()).limit(limit)
    walks = tenant_id is not None or wanted.is_met_soon
    if tenant_id is not None:
        newest = newest.where(follow_ups.c.tenant_id == tenant_id)
    elif walks:
        newest = _newest_of_each(newest, wanted, limit)
    page = newest.subquery("page")
    statement = _told(page).order_by(page.c.id.desc())
    if not walks:
        return [_listed(row) for row in await session.execute(statement)]
    # Behind a wall the planner expects one row in two hundred, and would rather read and sort all of a tenant's: 14 ms for 5,500 rows.
    await session.execute(_WALK)
    rows = (await session.execute(statement)).all()
    await session.execute(_WALK_NO_MORE)
    return [_listed(row) for row in rows]


_WALK = text("SELECT set_config('enable_bitmapscan', 'off', true)")
_WALK_NO_MORE = text("SELECT set_config('enable_bitmapscan', 'on', true)")


def _newest_of_each(newest: Select[Any], wanted: FollowUpFilter, limit: int) -> Select[Any]:
    of_each = newest.where(follow_ups.c.tenant_id == tenants.c.id).lateral("of_each")
    everybodys = select(of_each).select_from(tenants.join(of_each, true())).order_by(of_each.c.id.desc()).limit(limit)
    if wanted.endpoint_id is None:
        return everybodys
    endpoint = follow_up_endpoints.c
    return everybodys.where(tenants.c.id.in_(select(endpoint.tenant_id).where(endpoint.id == wanted.endpoint_id)))


async def find_follow_up(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> ListedFollowUp | None:
    """One of this tenant; None when it has no such follow-up."""
    where = (follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
    one = select(follow_ups.c.tenant_id, follow_ups.c.id).where(*where).subquery("page")
    row = (await session.execute(_told(one))).one_or_none()
    return None if row is None else _listed(row)


async def count_by_state(session: TenantSession | AcrossTenantsSession, tenant_id: UUID | None, wanted: FollowUpFilter) -> dict[str, int]:
    """How many stand in each state, those with none as 0. Reads all that the filter lets through."""
    whose = true() if tenant_id is None else follow_ups.c.tenant_id == tenant_id
    rows = await session.execute(
        select(follow_ups.c.state, func.count().label("cnt")).where(whose, *wanted.where()).group_by(follow_ups.c.state)
    )
    counted = {row.state: row.cnt for row in rows}
    return {state.value: counted.get(state.value, 0) for state in FollowUpState}


def _told(page: FromClause) -> Select[Any]:
    attempts, receipts = delivery_attempts.c, follow_up_receipts.c
    last = (
        select(attempts.started_at, attempts.outcome, attempts.http_status, attempts.error_class, attempts.duration_ms)
        .where(attempts.tenant_id == page.c.tenant_id, attempts.follow_up_id == page.c.id)
        .order_by(attempts.attempt.desc())
        .limit(1)
        .lateral("last")
    )
    said = (
        select(
            *(_first(status) for status in ReceiptStatus),
            # Newest first, so that the first one is the last reference given.
            func.array_agg(aggregate_order_by(receipts.reference, receipts.received_at.desc()))
            .filter(receipts.reference.is_not(None))
            .label("references"),
        )
        .where(receipts.tenant_id == page.c.tenant_id, receipts.follow_up_id == page.c.id)
        .lateral("said")
    )
    endpoint = follow_up_endpoints.c
    return (
        select(
            *(follow_ups.c[name] for name in _OF_THE_ROW),
            func.extract("epoch", func.clock_timestamp() - follow_ups.c.created_at).label("age_seconds"),
            endpoint.name.label("endpoint_name"),
            endpoint.kind.label("endpoint_kind"),
            *last.c,
            *said.c,
        )
        .select_from(page)
        .join(follow_ups, (follow_ups.c.tenant_id == page.c.tenant_id) & (follow_ups.c.id == page.c.id))
        .outerjoin(follow_up_endpoints, (endpoint.tenant_id == page.c.tenant_id) & (endpoint.id == follow_ups.c.endpoint_id))
        .outerjoin(last, true())
        .outerjoin(said, true())
    )


def _first(status: ReceiptStatus) -> ColumnElement[datetime | None]:
    receipts = follow_up_receipts.c
    return func.min(receipts.received_at).filter(receipts.status == status.value).label(f"{status.value}_at")


def _listed(row: Row[Any]) -> ListedFollowUp:
    return ListedFollowUp(
        id=row.id,
        webhook_id=webhook_id(row.id),
        tenant_id=row.tenant_id,
        lead_id=row.lead_id,
        endpoint=_endpoint(row),
        state=row.state,
        cancel_asked=row.cancel_asked,
        created_at=row.created_at,
        age_seconds=round(float(row.age_seconds), 3),
        due_at=row.due_at,
        finished_at=row.finished_at,
        attempts=row.attempts,
        failures=row.failures,
        last_attempt=None
        if row.started_at is None
        else LastAttempt(row.started_at, row.outcome, row.http_status, row.error_class, row.duration_ms),
        receipts=ToldReceipts(row.accepted_at, row.done_at, row.failed_at, row.references[0] if row.references else None),
    )


def _endpoint(row: Row[Any]) -> ToldEndpoint:
    if row.endpoint_id == OPERATORS_ENDPOINT:
        return ToldEndpoint(OPERATORS_ENDPOINT, OPERATORS_ENDPOINT_NAME, EndpointKind.WEBHOOK.value)
    return ToldEndpoint(row.endpoint_id, row.endpoint_name or "", row.endpoint_kind or "")
