"""How asking a model fares, for doctor: the breaker of a worker cannot be seen from outside, what came of its work can."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.language_model.refusal import OPERATOR_MUST_LOOK
from lead_signals.leads.opinion_request import OpinionState, opinion_requests
from lead_signals.second_opinion.opinion_day import calls_today
from lead_signals.tenancy.tenant import list_tenants
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

_REASONS: Final = sorted(kind.value for kind in OPERATOR_MUST_LOOK)


@dataclass(frozen=True, slots=True)
class OpinionHealth:
    """Calls of today over all tenants, how many tenants have used theirs up, how many requests wait.

    `refused` counts the requests of the last 24 hours that were given up because of key, model or address, by reason.
    """

    calls_today: int
    tenants_without_calls: int
    waiting: int
    refused: dict[str, int]


async def opinion_health(engine: AsyncEngine, *, most_calls: int) -> OpinionHealth:
    """Look now; `most_calls` is what one tenant has in one day."""
    request = opinion_requests.c
    async with across_tenants_session(engine) as session:
        tenants = await list_tenants(session)
        waiting = (await session.execute(select(func.count()).where(request.finished_at.is_(None)))).scalar_one()
        rows = await session.execute(
            select(request.last_failure, func.count().label("requests"))
            .where(
                request.state == OpinionState.GIVEN_UP.value,
                request.last_failure.in_(_REASONS),
                request.finished_at > func.now() - func.make_interval(0, 0, 0, 1),
            )
            .group_by(request.last_failure)
            .order_by(request.last_failure)
        )
        refused = {row.last_failure: row.requests for row in rows}
    calls: list[int] = []
    for tenant in tenants:
        async with tenant_session(engine, tenant.id) as session:
            calls.append(await calls_today(session, tenant.id))
    return OpinionHealth(sum(calls), sum(count >= most_calls for count in calls), waiting, refused)
