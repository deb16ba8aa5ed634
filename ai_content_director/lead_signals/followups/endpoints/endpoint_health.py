"""Whether those who should be told can be told: counts alone, cheap enough to be asked for every few seconds."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from lead_signals import clock
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason, follow_up_endpoints
from lead_signals.followups.endpoints.failing_endpoints import failing_endpoints
from lead_signals.followups.endpoints.operators_pause import operators_pause
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import AcrossTenantsSession


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How many endpoints fail, and how many are gone; WEBHOOK_URL is among them. `operators_is_paused`: a person paused WEBHOOK_URL, so
    whoever has no endpoint of their own is not told. A tenant's endpoint that a person paused is nobody's trouble."""

    failing: int = 0
    gone: int = 0
    operators_is_paused: bool = False

    @property
    def is_well(self) -> bool:
        return not self.failing and not self.gone and not self.operators_is_paused


async def endpoint_health(session: AcrossTenantsSession, settings: Settings, *, now: datetime | None = None) -> EndpointHealth:
    """Look now."""
    failing = set(await failing_endpoints(session, now=now or clock.now()))
    columns = follow_up_endpoints.c
    is_gone = (columns.pause_reason == PauseReason.GONE.value, columns.removed_at.is_(None))
    gone = (await session.execute(select(func.count()).select_from(follow_up_endpoints).where(*is_gone))).scalar_one()
    pause = None if settings.webhook_url is None else await operators_pause(session, settings.webhook_url.get_secret_value())
    if settings.webhook_url is None or pause is not None:
        failing.discard(OPERATORS_ENDPOINT)
    return EndpointHealth(len(failing), gone + (pause is PauseReason.GONE), pause is PauseReason.BY_OPERATOR)
