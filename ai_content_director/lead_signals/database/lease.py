"""The queue is the data: claim, renew, settle and give back rows of the domain that are due.

A table that owes work has the six columns of `lease_columns()`. A claim takes a row for a while (`lease_until`) and stamps it
with the next `lease_token`; whoever settles must show that token, so a worker that slept through its lease changes nothing.
A worker that dies settles nothing: its rows are due again when the lease ends, and each claim counted as an attempt.
All times are the database's clock. docs/decisions/001-the-queue-is-the-data.md tells why it is ours and not a package.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    Table,
    TableValuedAlias,
    Uuid,
    and_,
    case,
    func,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

Now: TypeAlias = Callable[[], ColumnElement[datetime]]
"""The clock a row is due by. In work it is the database's, `func.now`; a test that replays days hands in its own."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One row taken for a while. `attempts` counts claims, this one included; `state_before` is what giving it back restores."""

    tenant_id: UUID
    id: UUID
    lease_token: int
    attempts: int
    state_before: str


def lease_columns() -> list[Column[Any]]:
    """The columns every table of owed work carries, beside tenant_id, id and state."""
    return [
        Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("lease_until", DateTime(timezone=True)),
        Column("lease_token", BigInteger, nullable=False, server_default=text("0")),
        Column("finished_at", DateTime(timezone=True)),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ]


def due_index(table: Table, *queue: Column[Any]) -> Index:
    """One partial index serves first claims, retries and the rescue of a dead worker's rows alike. `queue`: what each queue goes by."""
    return Index(f"ix_{table.name}_due", *queue, _claimable_at(table), table.c.id, postgresql_where=table.c.finished_at.is_(None))


def _claimable_at(table: Table) -> ColumnElement[Any]:
    return func.coalesce(table.c.lease_until, table.c.due_at)


async def claim_due(
    connection: AsyncConnection,
    table: Table,
    *,
    working_state: str,
    limit: int,
    lease_seconds: float,
    rescue: bool = True,
    now: Now = func.now,
) -> list[Claim]:
    """Take up to `limit` due rows, oldest first, skipping those another worker is taking at this moment.

    Without `rescue`, rows whose worker let its lease run out are left alone.
    """
    due = (
        select(table.c.tenant_id, table.c.id, table.c.state)
        .where(table.c.finished_at.is_(None), _claimable_at(table) <= now(), true() if rescue else table.c.lease_until.is_(None))
        .order_by(_claimable_at(table), table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # MATERIALIZED: inlined into the UPDATE the planner may run the LIMIT more than once and claim too many.
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    rows = await connection.execute(
        update(table)
        .where(table.c.tenant_id == due.c.tenant_id, table.c.id == due.c.id)
        .values(
            state=working_state,
            attempts=table.c.attempts + 1,
            lease_token=table.c.lease_token + 1,
            lease_until=now() + timedelta(seconds=lease_seconds),
        )
        .returning(table.c.tenant_id, table.c.id, table.c.lease_token, table.c.attempts, due.c.state)
    )
    return [Claim(row.tenant_id, row.id, row.lease_token, row.attempts, row.state) for row in rows]


async def renew_all(
    connection: AsyncConnection, table: Table, claims: Sequence[Claim], *, lease_seconds: float, now: Now = func.now
) -> list[Claim]:
    """Hold on to all these rows for longer, by one statement. Returns the claims that were lost: stop working on those.

    A row is lost when it was claimed again since, or is gone. One that we have settled ourselves a moment ago is neither lost nor renewed.
    """
    if not claims:
        return []
    held = _locked(table, claims)
    renewed = await connection.execute(
        update(table)
        .where(table.c.tenant_id == held.c.tenant_id, table.c.id == held.c.id)
        .values(lease_until=now() + timedelta(seconds=lease_seconds))
        .returning(table.c.tenant_id, table.c.id)
    )
    kept = {(row.tenant_id, row.id) for row in renewed}
    missing = [claim for claim in claims if (claim.tenant_id, claim.id) not in kept]
    if missing:
        listed = _listed(missing)
        settled = await connection.execute(select(table.c.tenant_id, table.c.id).join(listed, _is_held(table, listed)))
        kept = {(row.tenant_id, row.id) for row in settled}
    return [claim for claim in missing if (claim.tenant_id, claim.id) not in kept]


def _locked(table: Table, claims: Sequence[Claim]) -> CTE:
    """The rows of these claims that are in work under their tokens, locked in one order: whoever settles many does the same."""
    listed = _listed(claims)
    return (
        select(table.c.tenant_id, table.c.id)
        .join(listed, _is_held(table, listed))
        .where(table.c.finished_at.is_(None), table.c.lease_until.is_not(None))
        .order_by(table.c.tenant_id, table.c.id)
        .with_for_update(of=table, key_share=True)
        .cte("held")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def _listed(claims: Sequence[Claim]) -> TableValuedAlias:
    return (
        func.unnest(
            literal([claim.tenant_id for claim in claims], ARRAY(Uuid)),
            literal([claim.id for claim in claims], ARRAY(Uuid)),
            literal([claim.lease_token for claim in claims], ARRAY(BigInteger)),
        )
        .table_valued("tenant_id", "id", "lease_token", name="listed")
        .render_derived()
    )


def _is_held(table: Table, listed: TableValuedAlias) -> ColumnElement[bool]:
    return and_(table.c.tenant_id == listed.c.tenant_id, table.c.id == listed.c.id, table.c.lease_token == listed.c.lease_token)


async def settle(connection: AsyncConnection, table: Table, claim: Claim, values: Mapping[str, Any]) -> bool:
    """Write the outcome and let go of the row. False, and nothing written, when the row was claimed again since."""
    result = await connection.execute(
        update(table)
        .where(
            table.c.tenant_id == claim.tenant_id,
            table.c.id == claim.id,
            table.c.lease_token == claim.lease_token,
            table.c.finished_at.is_(None),
        )
        .values(**{"lease_until": None, **values})
    )
    return bool(result.rowcount == 1)


async def give_back(connection: AsyncConnection, table: Table, claim: Claim, *, now: Now = func.now) -> bool:
    """Return a row that was claimed but not begun, as if it had not been taken: another worker may have it at once."""
    # A row rescued from a dead worker was in work before and stays so, under a lease that ends now.
    lease_until = case((table.c.state == claim.state_before, now()))
    return await settle(connection, table, claim, {"state": claim.state_before, "attempts": claim.attempts - 1, "lease_until": lease_until})
