"""Compare rules: a tenant's stored receipts through the rules in force and through a candidate, before it goes live. Writes nothing."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake.replay import AT_ONCE, ReplayPlan, receipts_of
from lead_signals.intake.replay_reading import judge_by, read_receipt_again
from lead_signals.intake.replay_stored import load_stored
from lead_signals.intake.rules_comparison import ComparedMessage, compare_packs
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.leads.message_change import MessageKey
from lead_signals.tenancy.tenant_session import tenant_session


@dataclass(frozen=True, slots=True)
class ComparedPart:
    """Some receipts, done with."""

    receipts: int
    unreadable: int
    forms: int
    messages: list[ComparedMessage]


async def compare_rules(
    engine: AsyncEngine, tenant_id: UUID, plan: ReplayPlan, active: RulePack | None, candidate: RulePack, *, at_once: int = AT_ONCE
) -> AsyncGenerator[ComparedPart]:
    """The receipts of the plan, part by part, by `active` (None = the packaged rules) and by `candidate`.

    Reading and judging is done while no transaction is open. Raises what the database raises.
    """
    told: set[MessageKey] = set()
    by_active, by_candidate = judge_by(active), judge_by(candidate)
    async with aclosing(receipts_of(engine, plan, tenant_id, at_once=at_once)) as receipts_at_once:
        async for kept in receipts_at_once:
            read = [read_receipt_again(receipt, None) for receipt in kept]
            async with tenant_session(engine, tenant_id) as session:
                stored = await load_stored(session, tenant_id, read)
            compared = compare_packs(read, stored, by_active, by_candidate, told)
            unreadable = sum(not receipt.is_readable for receipt in read)
            yield ComparedPart(len(kept), unreadable, compared.forms, compared.messages)
