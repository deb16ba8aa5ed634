"""Judge by own rules: a delivery that found its tenants, each part judged by the rules that its tenant has in force."""

import asyncio
from dataclasses import replace

from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.judge_again import judge_again
from lead_signals.intake.route_delivery import RoutedDelivery, RoutedPart
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.log_context import get_logger
from lead_signals.rule_packs.active_packs import ActivePacks

log = get_logger(__name__)


async def judge_by_own_rules(delivery: RoutedDelivery, packs: ActivePacks | None) -> RoutedDelivery:
    """The same delivery; parts of tenants without own rules are as they were. Twice is the same as once, and it raises nothing."""
    if packs is None or all(packs.of(part.tenant_id) is None for part in delivery.parts):
        return delivery
    return replace(delivery, parts=[await _judged(part, packs.of(part.tenant_id)) for part in delivery.parts])


async def _judged(part: RoutedPart, rule_pack: RulePack | None) -> RoutedPart:
    if rule_pack is None:
        return part
    await asyncio.sleep(0)  # a group may be many deliveries of one tenant: others are answered between two of them
    try:
        return replace(part, prepared=await beside_the_loop(len(part.body), judge_again, part.prepared, rule_pack))
    except Exception as error:  # the verdicts of the packaged rules are there already: a lead by those is better than none
        log.error("rule_pack_crashed", tenant_id=str(part.tenant_id), rule_pack=rule_pack.name, error=error.__class__.__name__)
        return part
