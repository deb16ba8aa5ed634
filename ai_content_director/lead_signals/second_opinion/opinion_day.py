"""A day of opinions: how often a tenant's messages were shown to the model, and what that cost in tokens. Days are Vietnam's."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Column, ColumnElement, Date, ForeignKey, Integer, Table, Uuid, literal_column, select, text, update

from lead_signals.database.metadata import metadata
from lead_signals.language_model.opinion import Tokens
from lead_signals.tenancy.tenant_session import TenantSession

opinion_days = Table(
    "opinion_days",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("calls", Integer, nullable=False, server_default=text("0")),
    Column("input_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("output_tokens", BigInteger, nullable=False, server_default=text("0")),
)

TODAY: Final[ColumnElement[date]] = literal_column("(now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date", Date)
"""By the database's clock."""
TOMORROW: Final[ColumnElement[Any]] = literal_column(
    "(((now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh')"
)
"""The moment it begins."""

_RESERVE: Final = text(
    """
    INSERT INTO opinion_days (tenant_id, day, calls)
    SELECT :tenant_id, (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, 1 WHERE CAST(:most_calls AS integer) > 0
    ON CONFLICT (tenant_id, day) DO UPDATE SET calls = opinion_days.calls + 1 WHERE opinion_days.calls < CAST(:most_calls AS integer)
    RETURNING day
    """
)


async def reserve_call(session: TenantSession, tenant_id: UUID, *, most_calls: int) -> date | None:
    """Count one call before it is made; the day it counts for, or None when the day's calls are used up. Atomic over all workers."""
    return (await session.execute(_RESERVE, {"tenant_id": tenant_id, "most_calls": most_calls})).scalar_one_or_none()


async def add_tokens(session: TenantSession, tenant_id: UUID, day: date, tokens: Tokens) -> None:
    """Add what a call of that day cost."""
    if tokens.input or tokens.output:
        await session.execute(
            update(opinion_days)
            .where(opinion_days.c.tenant_id == tenant_id, opinion_days.c.day == day)
            .values(
                input_tokens=opinion_days.c.input_tokens + tokens.input,
                output_tokens=opinion_days.c.output_tokens + tokens.output,
            )
        )


async def calls_today(session: TenantSession, tenant_id: UUID) -> int:
    """How many calls this tenant's messages took today so far."""
    of_today = (opinion_days.c.tenant_id == tenant_id, opinion_days.c.day == TODAY)
    return (await session.execute(select(opinion_days.c.calls).where(*of_today))).scalar_one_or_none() or 0
