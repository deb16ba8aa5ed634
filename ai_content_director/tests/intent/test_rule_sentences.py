"""Every rule is proven by the sentences beside it. Three ways to fail: not found, found but outvoted, found where it must not be."""

import pytest

from lead_signals.intent.own_rules.prove_sentences import prove_sentences
from lead_signals.intent.pack.rule import NAMES_OF_OTHERS, Rule
from lead_signals.intent.pack.rule_pack import packaged_rule_pack
from lead_signals.intent.statistics.statistical_opinion import OPINION_RULE
from lead_signals.leads.form_verdict import LEAD_FORM_RULE

RULES = packaged_rule_pack().rules


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_sentences_of_a_rule_come_out_as_it_says(rule: Rule) -> None:
    assert [str(failed) for failed in prove_sentences(packaged_rule_pack(), lambda one: one is rule)] == []


def test_every_intent_but_none_twice_has_rules() -> None:
    labels = {rule.intent_label for rule in RULES}
    assert len(labels) == 10
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_packaged_rule_says_its_name_in_vietnamese() -> None:
    assert [rule.name for rule in RULES if rule.vi is None] == []


def test_no_rule_can_be_called_as_what_speaks_beside_rules() -> None:
    assert {LEAD_FORM_RULE, OPINION_RULE} <= NAMES_OF_OTHERS
