"""A channel check: we owe each connected channel a look at its token and its subscription, again and again."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, Text, UniqueConstraint, Uuid, func, or_, update
from sqlalchemy.dialects.postgresql import insert

from lead_signals.database.lease import Claim, due_index, lease_columns
from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.database.wake_up import announce_due_work
from lead_signals.tenancy.tenant_session import TenantSession

CHANNEL_CHECK_WORK = "channel_check"


class CheckState(StrEnum):
    """waiting → checking → waiting, for as long as the channel is connected; ended when it no longer is, or has no token."""

    WAITING = "waiting"
    CHECKING = "checking"
    ENDED = "ended"


channel_checks = Table(
    "channel_checks",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("channel_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default=CheckState.WAITING.value),
    *lease_columns(),
    ForeignKeyConstraint(["tenant_id", "channel_id"], ["channels.tenant_id", "channels.id"], ondelete="CASCADE"),
    UniqueConstraint("tenant_id", "channel_id"),
    CheckConstraint("state IN ('waiting', 'checking', 'ended')", "state"),
    CheckConstraint("(state = 'ended') = (finished_at IS NOT NULL)", "finished"),
    CheckConstraint("(state = 'checking') = (lease_until IS NOT NULL)", "leased"),
)
due_index(channel_checks)


async def promise_check(session: TenantSession, tenant_id: UUID, channel_id: UUID, *, due_in: timedelta) -> None:
    """Owe a channel its checks from now on, the first after `due_in`. A check of an older token that runs just now will not count."""
    fresh = {"state": CheckState.WAITING.value, "due_at": func.now() + due_in, "attempts": 0, "lease_until": None, "finished_at": None}
    statement = insert(channel_checks).values(tenant_id=tenant_id, id=new_id(), channel_id=channel_id, due_at=func.now() + due_in)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "channel_id"], set_={**fresh, "lease_token": channel_checks.c.lease_token + 1}
        )
    )
    await announce_due_work(session, CHANNEL_CHECK_WORK)


async def end_checks(session: TenantSession, tenant_id: UUID, channel_id: UUID) -> None:
    """Owe nothing more to a channel. A check that runs just now will not count."""
    await session.execute(
        update(channel_checks)
        .where(channel_checks.c.tenant_id == tenant_id, channel_checks.c.channel_id == channel_id)
        .values(
            state=CheckState.ENDED.value,
            finished_at=func.coalesce(channel_checks.c.finished_at, func.now()),
            lease_until=None,
            lease_token=channel_checks.c.lease_token + 1,
        )
    )


async def claim_check(session: TenantSession, tenant_id: UUID, channel_id: UUID, *, lease_seconds: float) -> Claim | None:
    """Take one channel's check ahead of its time, as the worker takes a due one; None when somebody is at it, or none is owed."""
    free = or_(channel_checks.c.lease_until.is_(None), channel_checks.c.lease_until <= func.now())
    row = (
        await session.execute(
            update(channel_checks)
            .where(
                channel_checks.c.tenant_id == tenant_id,
                channel_checks.c.channel_id == channel_id,
                channel_checks.c.finished_at.is_(None),
                free,
            )
            .values(
                state=CheckState.CHECKING.value,
                attempts=channel_checks.c.attempts + 1,
                lease_token=channel_checks.c.lease_token + 1,
                lease_until=func.now() + timedelta(seconds=lease_seconds),
            )
            .returning(channel_checks.c.id, channel_checks.c.lease_token, channel_checks.c.attempts)
        )
    ).one_or_none()
    return None if row is None else Claim(tenant_id, row.id, row.lease_token, row.attempts, CheckState.WAITING.value)
