"""What came of asking a model: how often, at what cost, and what it said beside what stands now. Labels and numbers, never words."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.opinion_request import OpinionState, opinion_requests
from lead_signals.second_opinion.opinion_day import opinion_days
from lead_signals.tenancy.tenant import list_tenants
from lead_signals.tenancy.tenant_session import TenantSession, across_tenants_session, tenant_session

_WAITING: Final = frozenset({OpinionState.PENDING.value, OpinionState.ASKING.value})


@dataclass(slots=True)
class DayCost:
    """Calls and tokens of one day of Vietnam."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class OpinionReport:
    """Requests owed since a moment. `given_up` by reason; `said` counts pairs of what the model said and what the lead says now."""

    asked: int = 0
    waiting: int = 0
    answered: int = 0
    from_cache: int = 0
    applied: int = 0
    given_up: Counter[str] = field(default_factory=Counter)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    days: dict[date, DayCost] = field(default_factory=dict)

    @property
    def agreed(self) -> int:
        """How often the lead says now what the model said: because it was applied, or because a person or a rule came to the same."""
        return sum(count for (said, stands), count in self.said.items() if said == stands)


async def report_opinions(engine: AsyncEngine, since: datetime, tenant_id: UUID | None = None) -> OpinionReport | None:
    """Of one tenant, or of all; None when there is no tenant of that id."""
    async with across_tenants_session(engine) as session:
        tenants = [tenant.id for tenant in await list_tenants(session) if tenant_id in (None, tenant.id)]
    if tenant_id is not None and not tenants:
        return None
    report = OpinionReport()
    for each in tenants:
        async with tenant_session(engine, each) as session:
            await _add_requests(session, each, since, report)
            await _add_days(session, each, since, report)
    return report


async def _add_requests(session: TenantSession, tenant_id: UUID, since: datetime, report: OpinionReport) -> None:
    request, lead = opinion_requests.c, lead_signals.c
    stands = lead.intent_label.label("stands")
    kinds = (request.state, request.last_failure, request.intent_label, request.from_cache, request.applied, stands)
    is_about = and_(lead.tenant_id == request.tenant_id, lead.id == request.lead_id)
    rows = await session.execute(
        select(*kinds, func.count().label("requests"))
        .select_from(opinion_requests.join(lead_signals, is_about))
        .where(request.tenant_id == tenant_id, request.created_at >= since)
        .group_by(*kinds)
    )
    for row in rows:
        report.asked += row.requests
        if row.state in _WAITING:
            report.waiting += row.requests
        elif row.state == OpinionState.GIVEN_UP:
            report.given_up[row.last_failure or "unknown"] += row.requests
        else:
            report.answered += row.requests
            report.from_cache += row.requests * row.from_cache
            report.applied += row.requests * row.applied
            report.said[row.intent_label, row.stands] += row.requests


async def _add_days(session: TenantSession, tenant_id: UUID, since: datetime, report: OpinionReport) -> None:
    first = func.date(func.timezone("Asia/Ho_Chi_Minh", since))
    rows = await session.execute(
        select(opinion_days).where(opinion_days.c.tenant_id == tenant_id, opinion_days.c.day >= first).order_by(opinion_days.c.day)
    )
    for row in rows:
        cost = report.days.setdefault(row.day, DayCost())
        cost.calls += row.calls
        cost.input_tokens += row.input_tokens
        cost.output_tokens += row.output_tokens


def as_value(report: OpinionReport) -> dict[str, Any]:
    """The report for a program."""
    return {
        "asked": report.asked,
        "waiting": report.waiting,
        "answered": report.answered,
        "from_cache": report.from_cache,
        "applied": report.applied,
        "agreed": report.agreed,
        "given_up": dict(sorted(report.given_up.items())),
        "said": [{"model": said, "stands": stands, "leads": count} for (said, stands), count in sorted(report.said.items())],
        "days": [
            {"day": day.isoformat(), "calls": cost.calls, "input_tokens": cost.input_tokens, "output_tokens": cost.output_tokens}
            for day, cost in sorted(report.days.items())
        ],
    }
