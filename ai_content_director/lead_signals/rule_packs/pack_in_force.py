"""The pack in force: what judges one tenant's messages now, compiled; or why it cannot."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intent.pack.rule_pack import RulePack, RulePackError
from lead_signals.log_context import get_logger
from lead_signals.printable import printable
from lead_signals.rule_packs.compile_pack import compile_pack, name_of
from lead_signals.rule_packs.pack_turn import version_in_force
from lead_signals.rule_packs.stored_pack import find_pack
from lead_signals.tenancy.tenant_session import tenant_session

log = get_logger(__name__)

PROBLEMS_LOGGED = 10
LONGEST_PROBLEM_CHARACTERS = 300

# One thread of our own: the loop's shared ones resolve host names for the database, and two that compile only slow each other down.
_compiling = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rule-pack")


@dataclass(frozen=True, slots=True)
class PackInForce:
    """`version` None: the packaged rules alone. `rule_pack` None with a version: it cannot be used, `problems` say why (printable)."""

    version: int | None = None
    rule_pack: RulePack | None = None
    problems: tuple[str, ...] = ()


async def pack_in_force(engine: AsyncEngine, tenant_id: UUID) -> PackInForce:
    """What is in force for this tenant now. A version that newer code cannot use is told and logged, and the packaged rules judge.

    Raises what the database raises.
    """
    async with tenant_session(engine, tenant_id) as session:
        version = await version_in_force(session, tenant_id)
        stored = None if version is None else await find_pack(session, tenant_id, version)
    if version is None or stored is None:  # a version in force is never removed: the turn's foreign key holds it
        return PackInForce()
    try:
        compiled = partial(compile_pack, stored.content, name_of(version), is_stored=True)
        running = asyncio.get_running_loop().run_in_executor(_compiling, compiled)
        return PackInForce(version, await running)
    except RulePackError as error:
        problems = str(error).splitlines()
    except Exception as error:  # a defect that only these rules meet is no reason to take no comments
        problems = [f"{name_of(version)}: {error.__class__.__name__}"]
    told = tuple(printable(problem[:LONGEST_PROBLEM_CHARACTERS]) for problem in problems[:PROBLEMS_LOGGED])
    log.error("rule_pack_unusable", tenant_id=str(tenant_id), version=version, problems=list(told))
    return PackInForce(version, None, told)
