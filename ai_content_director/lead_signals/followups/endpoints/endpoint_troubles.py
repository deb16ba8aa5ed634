"""Which endpoints need a person, for doctor and /ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from lead_signals import clock
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, EndpointKind, PauseReason, follow_up_endpoints
from lead_signals.followups.endpoints.endpoint_backlog import NOTHING_WAITS, endpoint_backlogs
from lead_signals.followups.endpoints.endpoint_list import GONE, what_is_the_matter
from lead_signals.followups.endpoints.failing_endpoints import failing_endpoints, failing_sentence
from lead_signals.followups.endpoints.operators_pause import operators_pause
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant import tenants
from lead_signals.tenancy.tenant_session import AcrossTenantsSession

PAUSED = "A person paused it: whoever has no endpoint of their own is not told; lead-signals followups endpoints resume WEBHOOK_URL."


@dataclass(frozen=True, slots=True)
class EndpointTrouble:
    """One endpoint and what is the matter; without a tenant for WEBHOOK_URL. Names were written by strangers: make them printable
    before a terminal sees them."""

    tenant_id: UUID | None
    tenant_name: str | None
    endpoint_id: UUID
    kind: str
    name: str
    sentence: str


async def endpoint_troubles(session: AcrossTenantsSession, settings: Settings, *, now: datetime | None = None) -> Sequence[EndpointTrouble]:
    """Endpoints that fail, are gone, cannot be opened by the keys here, or want a mail server that is not set; and WEBHOOK_URL while it is
    paused. That a person paused an endpoint of a tenant is no trouble.

    Opens every endpoint that there is: some 0.1 ms for each.
    """
    at = now or clock.now()
    failing = await failing_endpoints(session, now=at)
    backlogs = await endpoint_backlogs(session, [*failing], now=at)
    fails = {id_: failing_sentence(found, backlogs.get(id_, NOTHING_WAITS)) for id_, found in failing.items()}
    troubles = []
    if settings.webhook_url is not None:
        reason = await operators_pause(session, settings.webhook_url.get_secret_value())
        sentence = fails.get(OPERATORS_ENDPOINT) if reason is None else GONE if reason is PauseReason.GONE else PAUSED
        if sentence is not None:
            troubles.append(EndpointTrouble(None, None, OPERATORS_ENDPOINT, EndpointKind.WEBHOOK.value, "WEBHOOK_URL", sentence))
    rows = await session.execute(
        select(follow_up_endpoints, tenants.c.name.label("tenant_name"))
        .join(tenants, tenants.c.id == follow_up_endpoints.c.tenant_id)
        .where(follow_up_endpoints.c.removed_at.is_(None))
        .order_by(tenants.c.name, follow_up_endpoints.c.created_at, follow_up_endpoints.c.id)
    )
    for row in rows:
        sentence = what_is_the_matter(row, settings, at) or fails.get(row.id)
        if sentence is not None:
            troubles.append(EndpointTrouble(row.tenant_id, row.tenant_name, row.id, row.kind, row.name, sentence))
    return troubles
