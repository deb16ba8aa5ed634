"""Turn a tenant to a version of its rules, or to the packaged ones alone; and back to what was in force before the last turn.

One transaction with its audit event. Every process notices by itself, within some seconds (`ActivePacks`).
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from lead_signals.intent.pack.rule_pack import RulePackError
from lead_signals.rule_packs.compile_pack import compile_pack, name_of
from lead_signals.rule_packs.hold_packs import hold_packs
from lead_signals.rule_packs.pack_turn import Turn, newest_turns, write_turn
from lead_signals.rule_packs.stored_pack import find_pack
from lead_signals.tenancy.tenant_session import TenantSession


class TurnRefused(Exception):
    """It was not turned; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What is in force now, and was before; None = the packaged rules alone. The same: it was in force already, nothing was written."""

    version: int | None
    before: int | None


async def turn_to(session: TenantSession, tenant_id: UUID, version: int | None) -> Turned:
    """Let `version` (None = the packaged rules alone) judge from now on.

    Raises TurnRefused when there is no such version, or when the code of today cannot use it any more.
    """
    await hold_packs(session, tenant_id)
    newest = await newest_turns(session, tenant_id, most=1)
    before = newest[0] if newest else None
    return await _turn(session, tenant_id, before, version)


async def turn_back(session: TenantSession, tenant_id: UUID) -> Turned:
    """Let judge what judged before the last turn. Twice is there and back again. Raises TurnRefused, also when there was no turn."""
    await hold_packs(session, tenant_id)
    turns = await newest_turns(session, tenant_id, most=2)
    if not turns:
        raise TurnRefused("The packaged rules alone were in force from the beginning: there is nothing to go back to.")
    return await _turn(session, tenant_id, turns[0], turns[1].version if len(turns) > 1 else None)


async def _turn(session: TenantSession, tenant_id: UUID, before: Turn | None, version: int | None) -> Turned:
    in_force = None if before is None else before.version
    if version is not None:
        await _refuse_unusable(session, tenant_id, version)
    if version != in_force:
        await write_turn(session, tenant_id, before, version)
    return Turned(version, in_force)


async def _refuse_unusable(session: TenantSession, tenant_id: UUID, version: int) -> None:
    stored = await find_pack(session, tenant_id, version)
    if stored is None:
        raise TurnRefused(f"This tenant has no version {version} of its own rules; see lead-signals rules list.")
    try:
        await asyncio.to_thread(compile_pack, stored.content, name_of(version))
    except RulePackError as error:
        raise TurnRefused(
            f"Version {version} cannot be used by this program any more; mend it and add it as a new one, or activate --packaged:\n{error}"
        ) from None
