"""Judge by own rules: a delivery that found its tenants, each part judged by the rules that its tenant has in force."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from lead_signals.intake.beside_the_loop import off_the_loop
from lead_signals.intake.judge_again import judge_again
from lead_signals.intake.route_delivery import RoutedDelivery, RoutedPart
from lead_signals.intent.own_rules.several_trees import SeveralTrees
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.log_context import get_logger
from lead_signals.rule_packs.active_packs import ActivePacks

log = get_logger(__name__)

# Rules of strangers are bounded for each word of a text: so many characters take milliseconds by the worst of them.
MOST_CHARACTERS_ON_THE_LOOP = 2_000


async def judge_by_own_rules(delivery: RoutedDelivery, packs: ActivePacks | None) -> RoutedDelivery:
    """The same delivery; parts of tenants without own rules are as they were. Twice is the same as once, and it raises nothing."""
    if packs is None or all(packs.of(part.tenant_id) is None for part in delivery.parts):
        return delivery
    is_long = _characters(delivery.parts) > MOST_CHARACTERS_ON_THE_LOOP
    return replace(delivery, parts=[await _judged(part, packs.of(part.tenant_id), is_long) for part in delivery.parts])


def _characters(parts: Sequence[RoutedPart]) -> int:
    leads = (len(lead.content_text) for part in parts for lead in part.prepared.leads)
    return sum(leads) + sum(len(change.content_text or "") for part in parts for change in part.prepared.changes)


async def _judged(part: RoutedPart, rule_pack: RulePack | None, is_long: bool) -> RoutedPart:
    if rule_pack is None:
        return part
    await asyncio.sleep(0)  # a group may be many deliveries of one tenant: others are answered between two of them
    try:
        prepared = part.prepared
        judged = await off_the_loop(judge_again, prepared, rule_pack) if is_long else judge_again(prepared, rule_pack)
    except Exception as error:  # the verdicts of the packaged rules are there already: a lead by those is better than none
        log.error("rule_pack_crashed", tenant_id=str(part.tenant_id), rule_pack=rule_pack.name, error=error.__class__.__name__)
        return part
    if isinstance(rule_pack.tree, SeveralTrees) and rule_pack.tree.tells_that_it_ran_away():
        log.warning("rule_pack_ran_away", tenant_id=str(part.tenant_id), rule_pack=rule_pack.name)
    return replace(part, prepared=judged)
