"""Active packs: the compiled rules of every tenant that has its own in force, in one process, kept fresh beside its work.

The door asks for a pack at each delivery, so it must be there at once; a turn is noticed by a look at the turns every two seconds.
A tenant without own rules is in no table and in no dictionary: it costs nothing.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.availability import database_is_away, why_away
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.log_context import get_logger
from lead_signals.rule_packs.pack_in_force import PackInForce, pack_in_force
from lead_signals.rule_packs.pack_turn import versions_in_force
from lead_signals.tenancy.tenant_session import across_tenants_session

log = get_logger(__name__)

LOOK_EVERY_SECONDS = 2.0
# Ordinary rules take tenths of a second. Whoever wrote a megabyte is judged by the packaged ones until his are ready, and delays nobody.
COMPILING_AT_START_SECONDS = 2.0


class ActivePacks:
    """Which rules judge whom, as this process knows it. What is no longer in force is dropped."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._in_force: dict[UUID, PackInForce] = {}
        self._is_loaded = False
        self._looking = asyncio.Lock()

    def of(self, tenant_id: UUID) -> RulePack | None:
        """The tenant's own rules with the packaged ones; None = the packaged rules alone."""
        found = self._in_force.get(tenant_id)
        return None if found is None else found.rule_pack

    @property
    def is_loaded(self) -> bool:
        """Whether the turns were looked at once."""
        return self._is_loaded

    @property
    def unusable(self) -> Mapping[UUID, PackInForce]:
        """Tenants whose own rules are in force and cannot be used: the packaged rules judge them meanwhile."""
        return {tenant_id: found for tenant_id, found in self._in_force.items() if found.rule_pack is None}

    async def loaded(self) -> None:
        """Returns once the turns were looked at, and at once when they were before; with the packs that were ready within
        COMPILING_AT_START_SECONDS, the others come with the next look. Raises what the database raises.
        """
        if self._is_loaded:
            return
        async with self._looking:
            if self.is_loaded:  # by whom we waited for
                return
            wanted = await self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(COMPILING_AT_START_SECONDS):
                    await self._take(wanted)

    async def refresh(self) -> None:
        """Look at the turns now, and compile what was turned to. Raises what the database raises; what was known then stays."""
        async with self._looking:
            await self._take(await self._look())

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
                    log.warning("rule_packs_not_looked_at", error=why_away(error) if away else error.__class__.__name__)
                failing = True

    async def _look(self) -> Mapping[UUID, int]:
        async with across_tenants_session(self._engine) as session:
            wanted = await versions_in_force(session)
        self._is_loaded = True
        return wanted

    async def _take(self, wanted: Mapping[UUID, int]) -> None:
        for tenant_id in self._in_force.keys() - wanted.keys():
            log.info("rule_pack_in_force", tenant_id=str(tenant_id), version=None)
            del self._in_force[tenant_id]
        for tenant_id, version in wanted.items():
            known = self._in_force.get(tenant_id)
            if known is None or known.version != version:
                await self._load(tenant_id)

    async def _load(self, tenant_id: UUID) -> None:
        """Between our look and this one the tenant may have been turned again: what is in force now counts."""
        found = await pack_in_force(self._engine, tenant_id)
        if found.version is None:
            self._in_force.pop(tenant_id, None)
            return
        self._in_force[tenant_id] = found
        if found.rule_pack is not None:
            log.info("rule_pack_in_force", tenant_id=str(tenant_id), version=found.version, rule_pack=found.rule_pack.name)
