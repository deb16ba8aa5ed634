"""A look-up: what we owe to ask the platform about a lead. Deliveries name a form or a sender by id alone; the rest is asked later.

One row for each form, and one for each sender however many messages they write. A job may fail for ever without harm to the lead.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    or_,
    select,
    text,
    update,
)

from lead_signals.database.lease import due_index, lease_columns
from lead_signals.database.metadata import metadata
from lead_signals.database.wake_up import announce_due_work
from lead_signals.tenancy.tenant_session import TenantSession

LOOK_UP_WORK = "look_ups"
# Meta keeps the answers of a form about 90 days; after that there is nothing left to ask for.
WORTH_ASKING = timedelta(days=90)


class LookUpKind(StrEnum):
    """What is asked: the answers of a lead form (by its leadgen id), or the name of a sender (by their id within the Page)."""

    LEAD_FORM = "lead_form"
    SENDER_NAME = "sender_name"


class LookUpState(StrEnum):
    """pending → looking → found; back to pending after a failure; given_up when asking again cannot help."""

    PENDING = "pending"
    LOOKING = "looking"
    FOUND = "found"
    GIVEN_UP = "given_up"


look_ups = Table(
    "look_ups",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("channel_external_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=LookUpState.PENDING.value),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("last_failure", Text),
    Column("found_name", Text),
    Column("found_at", DateTime(timezone=True)),
    *lease_columns(),
    UniqueConstraint("tenant_id", "kind", "platform", "channel_external_id", "subject_id", name="uq_look_ups_once"),
    CheckConstraint("kind IN ('lead_form', 'sender_name')", "kind"),
    CheckConstraint("state IN ('pending', 'looking', 'found', 'given_up')", "state"),
    CheckConstraint("(state IN ('found', 'given_up')) = (finished_at IS NOT NULL)", "finished"),
    CheckConstraint("(state = 'looking') = (lease_until IS NOT NULL)", "leased"),
)
due_index(look_ups)


async def make_due(session: TenantSession, tenant_id: UUID, *, platform: str, channel_external_id: str) -> int:
    """A channel was given a token: ask at once what waited for it, and what was given up while a form still lives. Returns how many.

    Call it in the transaction that keeps the token. A look-up that runs at that moment notices the new token by itself.
    """
    of_channel = (
        look_ups.c.tenant_id == tenant_id,
        look_ups.c.platform == platform,
        look_ups.c.channel_external_id == channel_external_id,
        or_(look_ups.c.finished_at.is_(None), _given_up_lately()),
    )
    # Two statements: the lock waits for a look-up that settles at this moment, and only the next statement sees what came of it.
    await session.execute(select(look_ups.c.id).where(*of_channel).order_by(*LOCK_ORDER).with_for_update())
    due = await session.execute(update(look_ups).where(*of_channel, look_ups.c.state != LookUpState.LOOKING.value).values(due_again()))
    if due.rowcount:
        await announce_due_work(session, LOOK_UP_WORK)
    return due.rowcount


def due_again() -> dict[str, Any]:
    """The column values of a look-up that is asked afresh, at once; what was found stays."""
    return {
        "state": LookUpState.PENDING.value,
        "failures": 0,
        "attempts": 0,
        "last_failure": None,
        "due_at": func.now(),
        "finished_at": None,
    }


def _given_up_lately() -> ColumnElement[bool]:
    return (look_ups.c.state == LookUpState.GIVEN_UP.value) & (look_ups.c.created_at > func.now() - WORTH_ASKING)


LOCK_ORDER = (look_ups.c.kind, look_ups.c.platform, look_ups.c.channel_external_id, look_ups.c.subject_id)
"""Whoever locks several look-ups takes them in this order, so that two wait for each other and never deadlock."""
