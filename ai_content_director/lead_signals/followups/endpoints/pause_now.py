"""Pause or resume an endpoint now, because a person asked; WEBHOOK_URL as well."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.wake_up import announce_due_work
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason
from lead_signals.followups.endpoints.endpoint_list import ShownEndpoint, find_endpoint, find_operators_endpoint
from lead_signals.followups.endpoints.named_endpoint import needs_its_tenant, no_operators_endpoint, no_such_endpoint
from lead_signals.followups.endpoints.operators_pause import pause_operators_endpoint, resume_operators_endpoint
from lead_signals.followups.endpoints.pause_endpoint import pause_endpoint, resume_endpoint
from lead_signals.followups.follow_up import FOLLOW_UP_WORK
from lead_signals.log_context import get_logger
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

log = get_logger(__name__)


async def pause_now(engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID, *, now: datetime) -> ShownEndpoint:
    """The endpoint, paused; one that was gone stays gone. Workers see it within two seconds, and attempts that run come to their end.

    `tenant_id` may be None for WEBHOOK_URL. Raises RefusedRequest (404) for an endpoint that is not there.
    """
    return await _turn(engine, settings, tenant_id, endpoint_id, pause=True, now=now)


async def resume_now(engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID, *, now: datetime) -> ShownEndpoint:
    """The endpoint, listening again: workers go on with what waits there. Raises as `pause_now`."""
    return await _turn(engine, settings, tenant_id, endpoint_id, pause=False, now=now)


async def _turn(
    engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID, *, pause: bool, now: datetime
) -> ShownEndpoint:
    if endpoint_id == OPERATORS_ENDPOINT:
        return await _turn_operators(engine, settings, pause=pause, now=now)
    whose = needs_its_tenant(endpoint_id, tenant_id)
    async with tenant_session(engine, whose) as session:
        if pause:
            await pause_endpoint(session, whose, endpoint_id, PauseReason.BY_OPERATOR)
        else:
            await resume_endpoint(session, whose, endpoint_id)
        endpoint = await find_endpoint(session, settings, whose, endpoint_id, now=now)
    if endpoint is None:
        raise no_such_endpoint(whose, endpoint_id)
    return endpoint


async def _turn_operators(engine: AsyncEngine, settings: Settings, *, pause: bool, now: datetime) -> ShownEndpoint:
    if settings.webhook_url is None:
        raise no_operators_endpoint()
    address = settings.webhook_url.get_secret_value()
    async with across_tenants_session(engine) as everywhere:
        if pause:
            turned = await pause_operators_endpoint(everywhere, address, PauseReason.BY_OPERATOR)
        elif turned := await resume_operators_endpoint(everywhere, address):
            await announce_due_work(everywhere, FOLLOW_UP_WORK)
        endpoint = await find_operators_endpoint(everywhere, settings, now=now)
    if endpoint is None:
        raise no_operators_endpoint()
    if turned:  # it is no tenant's: there is no history but the log to tell it
        log.info("operators_endpoint_turned", state=endpoint.state)
    return endpoint
