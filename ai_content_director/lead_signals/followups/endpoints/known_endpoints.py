"""Known endpoints: whom this worker may call, opened and ready, kept fresh beside its work.

Every two seconds it is looked who listens; only what changed since is read and opened. An endpoint that is paused, removed, not configured
or cannot be opened has no destination, and nothing is claimed for it.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, any_, cast, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.database.availability import database_is_away, why_away
from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.destinations.outbound import Outbound
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason, follow_up_endpoints
from lead_signals.followups.endpoints.endpoint_destination import destination_of, operators_destination
from lead_signals.followups.endpoints.operators_pause import operators_pause, pause_operators_endpoint
from lead_signals.followups.endpoints.pause_endpoint import pause_endpoint
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, UnopenedEndpoint
from lead_signals.log_context import get_logger
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, across_tenants_session, tenant_session

log = get_logger(__name__)

LOOK_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Known:
    """`destination` signs by both secrets until `old_secret_until`, `afterwards` by the new one alone."""

    changed_at: datetime
    destination: Destination | None
    afterwards: Destination | None = None
    old_secret_until: datetime | None = None


class KnownEndpoints:
    """Whom to call, as this process knows it. Before the first `refresh` nobody is known."""

    def __init__(self, engine: AsyncEngine, settings: Settings, outbound: Outbound, *, now: Callable[[], datetime] = clock.now) -> None:
        self._engine = engine
        self._settings = settings
        self._outbound = outbound
        self._now = now
        self._seal = EndpointSeal(settings.channel_token_key)
        self._known: dict[UUID, _Known] = {}
        self._operators = operators_destination(outbound, settings)
        self._operator_listens = False
        self._looking = asyncio.Lock()

    def destination(self, endpoint_id: UUID) -> Destination | None:
        """How to speak to it; None when nobody listens there, or nobody can be called there now."""
        if endpoint_id == OPERATORS_ENDPOINT:
            return self._operators if self._operator_listens else None
        known = self._known.get(endpoint_id)
        if known is None:
            return None
        over = known.old_secret_until is not None and known.old_secret_until <= self._now()
        return known.afterwards if over else known.destination

    async def refresh(self) -> None:
        """Look who listens now, and open what is new or changed. Raises what the database raises; what was known then stays."""
        async with self._looking:
            async with across_tenants_session(self._engine) as everywhere:
                listening = await _listening(everywhere)
                news = [
                    id_ for id_, changed_at in listening.items() if (had := self._known.get(id_)) is None or had.changed_at != changed_at
                ]
                sealed = await _sealed(everywhere, news)
                operator_listens = await self._not_paused(everywhere)
            for row in sealed:
                self._known[row.id] = self._opened(row)
            for endpoint_id in self._known.keys() - listening.keys():
                del self._known[endpoint_id]
            self._operator_listens = operator_listens

    async def keep_fresh(self, stop: asyncio.Event) -> None:
        """Look every LOOK_EVERY_SECONDS until `stop`. A look that fails is logged, once for each row of failures, and comes again."""
        failing = False
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_SECONDS)
                return
            try:
                await self.refresh()
                failing = False
            except Exception as error:
                away = database_is_away(error)
                if not failing:
                    log.warning("endpoints_not_looked_at", error=why_away(error) if away else error.__class__.__name__)
                failing = True

    async def pause(self, tenant_id: UUID, endpoint_id: UUID) -> None:
        """Call it no more: it said that it takes nothing ever again. In a transaction of its own; again is the same.

        While the database is away nothing can be written down: that is logged, and the next call that it refuses comes here again.
        """
        self._known.pop(endpoint_id, None)
        try:
            if await self._pause(tenant_id, endpoint_id):
                log.warning("endpoint_paused", tenant_id=str(tenant_id), endpoint_id=str(endpoint_id), reason=PauseReason.GONE.value)
            await self.refresh()
        except Exception as error:
            if not database_is_away(error):
                raise
            log.warning("endpoint_not_paused", tenant_id=str(tenant_id), endpoint_id=str(endpoint_id), error=why_away(error))

    async def _pause(self, tenant_id: UUID, endpoint_id: UUID) -> bool:
        if endpoint_id != OPERATORS_ENDPOINT:
            async with tenant_session(self._engine, tenant_id) as session:
                return await pause_endpoint(session, tenant_id, endpoint_id, PauseReason.GONE)
        self._operator_listens = False
        if self._settings.webhook_url is None:
            return False
        # It is no tenant's, so there is no history to write it into: its row and the log tell.
        async with self._engine.begin() as connection:
            return await pause_operators_endpoint(connection, self._settings.webhook_url.get_secret_value(), PauseReason.GONE)

    async def _not_paused(self, everywhere: AcrossTenantsSession) -> bool:
        if self._settings.webhook_url is None:
            return False
        return await operators_pause(everywhere, self._settings.webhook_url.get_secret_value()) is None

    def _opened(self, row: Row[Any]) -> _Known:
        now = self._now()
        try:
            opened = self._seal.open(row, now)
        except UnopenedEndpoint:
            log.warning("endpoint_cannot_be_opened", tenant_id=str(row.tenant_id), endpoint_id=str(row.id), mend="see lead-signals doctor")
            return _Known(row.changed_at, None)
        destination = destination_of(self._outbound, self._settings, opened, now)
        if opened.old_secret_until is None:
            return _Known(row.changed_at, destination)
        afterwards = destination_of(self._outbound, self._settings, opened, opened.old_secret_until)
        return _Known(row.changed_at, destination, afterwards, opened.old_secret_until)


_LISTENS = (follow_up_endpoints.c.removed_at.is_(None), follow_up_endpoints.c.paused_at.is_(None))


async def _listening(everywhere: AcrossTenantsSession) -> Mapping[UUID, datetime]:
    """When each endpoint that may be called was changed last. No address is read for this: it is asked for every two seconds."""
    rows = await everywhere.execute(select(follow_up_endpoints.c.id, follow_up_endpoints.c.changed_at).where(*_LISTENS))
    return {row.id: row.changed_at for row in rows}


async def _sealed(everywhere: AcrossTenantsSession, endpoint_ids: Collection[UUID]) -> Collection[Row[Any]]:
    if not endpoint_ids:
        return ()
    # One value however many there are: at the start of a worker they are all new.
    wanted = follow_up_endpoints.c.id == any_(cast(list(endpoint_ids), ARRAY(Uuid)))
    return (await everywhere.execute(select(follow_up_endpoints).where(wanted, *_LISTENS))).all()
