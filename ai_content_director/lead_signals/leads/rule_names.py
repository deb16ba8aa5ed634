"""What a rule is called to a person: its Vietnamese name on a Vietnamese page, its own name on an English one."""

from collections.abc import Callable, Mapping
from functools import cache
from uuid import UUID

from lead_signals.intent.pack.rule_pack import RulePack, packaged_rule_pack, vietnamese_names
from lead_signals.leads.lead_words import LEAD_WORDS
from lead_signals.leads.matched_words import LONGEST_NAME_CHARACTERS
from lead_signals.page_frame.language import Language

OwnNames = Mapping[str, str]
"""Of a tenant's own rules: name -> Vietnamese name."""
OwnNamesOf = Callable[[UUID], OwnNames]


def no_own_names(_: UUID) -> OwnNames:
    """Where nobody has rules of their own."""
    return {}


def own_names_by(pack_of: Callable[[UUID], RulePack | None]) -> OwnNamesOf:
    """The names in the pack that judges a tenant, asked anew each time; None is the packaged rules alone."""

    def own_names_of(tenant_id: UUID) -> OwnNames:
        pack = pack_of(tenant_id)
        return {} if pack is None else vietnamese_names(pack)

    return own_names_of


def shown_rule_name(rule: str, language: Language, own_names: OwnNames) -> str:
    """The name to show; the stored one where nothing better is known, as of rules of an older pack. May hold anything a tenant wrote."""
    other = LEAD_WORDS[language].beside_rules.get(rule)
    if other is not None:
        return other
    if language is not Language.VI:
        return rule
    return (own_names.get(rule) or _packaged_names().get(rule, rule))[:LONGEST_NAME_CHARACTERS]


@cache
def _packaged_names() -> Mapping[str, str]:
    return vietnamese_names(packaged_rule_pack())
