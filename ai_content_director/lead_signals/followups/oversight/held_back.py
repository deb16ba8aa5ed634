"""Why what is due at an endpoint waits all the same, and the command that ends it."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, cast, select

from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason, follow_up_endpoints
from lead_signals.followups.endpoints.operators_pause import operators_pause
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession

_WHY: Final = {
    PauseReason.BY_OPERATOR: "Its endpoint is paused: resume it (lead-signals followups endpoints resume {}).",
    PauseReason.GONE: "Its endpoint answered that it takes nothing any more (410 Gone, or the like) and is paused: mend the receiver,"
    " then resume it (lead-signals followups endpoints resume {}).",
}


async def held_back(
    session: TenantSession | AcrossTenantsSession, settings: Settings, endpoint_ids: Collection[UUID]
) -> Mapping[UUID, str]:
    """A sentence for each of these endpoints at which a worker sends nothing now; those that listen are absent."""
    columns = follow_up_endpoints.c
    wanted = columns.id == any_(cast(list(endpoint_ids), ARRAY(Uuid)))
    rows = await session.execute(select(columns.tenant_id, columns.id, columns.pause_reason).where(wanted, columns.paused_at.is_not(None)))
    told = {row.id: _WHY[PauseReason(row.pause_reason)].format(f"--tenant {row.tenant_id} {row.id}") for row in rows}
    if OPERATORS_ENDPOINT in endpoint_ids and (sentence := await _operators(session, settings)) is not None:
        told[OPERATORS_ENDPOINT] = sentence
    return told


async def _operators(session: TenantSession | AcrossTenantsSession, settings: Settings) -> str | None:
    if settings.webhook_url is None:
        return "WEBHOOK_URL is not set: it is sent after it is set again, for API and worker."
    reason = await operators_pause(session, settings.webhook_url.get_secret_value())
    return None if reason is None else _WHY[reason].format("WEBHOOK_URL")
