"""Look-ups that wait, counted for whoever watches the house: "12 forms wait for a token"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from lead_signals.leads.look_up import LookUpKind, look_ups
from lead_signals.tenancy.tenant_session import AcrossTenantsSession


@dataclass(frozen=True, slots=True)
class WaitingLookUps:
    """How many look-ups of one kind wait for one reason, over all tenants, and since when the oldest of them is owed.

    `last_failure` is a word of `NotFoundBecause`, None for those that were not asked yet.
    """

    kind: LookUpKind
    last_failure: str | None
    count: int
    oldest_at: datetime


async def waiting_look_ups(session: AcrossTenantsSession) -> Sequence[WaitingLookUps]:
    """Those that are neither found nor given up, by kind and last failure; nothing waits = empty."""
    rows = await session.execute(
        select(look_ups.c.kind, look_ups.c.last_failure, func.count().label("waiting"), func.min(look_ups.c.created_at).label("oldest_at"))
        .where(look_ups.c.finished_at.is_(None))
        .group_by(look_ups.c.kind, look_ups.c.last_failure)
        .order_by(look_ups.c.kind, look_ups.c.last_failure)
    )
    return [WaitingLookUps(LookUpKind(row.kind), row.last_failure, row.waiting, row.oldest_at) for row in rows]
