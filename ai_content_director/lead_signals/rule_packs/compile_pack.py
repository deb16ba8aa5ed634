"""Compile a pack: a tenant's YAML and the packaged rules, made one pack that judges."""

from lead_signals.intent.own_rules.tenant_rules import read_tenant_rules, refuse_running_away, rule_pack_with
from lead_signals.intent.pack.rule_pack import RulePack


def compile_pack(content: str | bytes, name: str, *, is_stored: bool = False) -> RulePack:
    """The packaged rules with those of `content`. `name` stands in the pack's name and before each mistake: a file, or a version.

    Takes tenths of a second of a processor: not on an event loop. Raises RulePackError with a line for each mistake, also for
    wordings that run away and sentences that do not come out. With `is_stored` those two were looked at before: what was turned on
    goes on judging, within the bounds of a walk.
    """
    tenant_rules = read_tenant_rules(content, name)
    if not is_stored:
        refuse_running_away(tenant_rules)
    return rule_pack_with(tenant_rules, is_proven=is_stored)


def name_of(version: int) -> str:
    """What a stored version is called in the name of its pack, and so on every lead it judged."""
    return f"v{version}"
