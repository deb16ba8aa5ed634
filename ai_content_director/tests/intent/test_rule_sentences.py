"""Every rule is proven by the sentences beside it. Three ways to fail: not found, found but outvoted, found where it must not be."""

import pytest

from lead_signals.intent.classify import classify
from lead_signals.intent.rule import Rule
from lead_signals.intent.rule_pack import packaged_rule_pack

RULES = packaged_rule_pack().rules
SAID = [pytest.param(rule, sentence, id=f"{rule.name}: {sentence}") for rule in RULES for sentence in rule.says]
NEVER = [pytest.param(rule, sentence, id=f"{rule.name}: {sentence}") for rule in RULES for sentence in rule.never]


@pytest.mark.parametrize(("rule", "sentence"), SAID)
def test_the_rule_finds_its_own_sentence_and_wins(rule: Rule, sentence: str) -> None:
    verdict = classify(sentence)
    speaking = {one.rule: one.weight for one in verdict.evidence}
    assert rule.name in speaking, f"no match: {sentence!r} is not found by {rule.name!r}, only by {sorted(speaking)}"
    assert verdict.intent_label is rule.intent_label, f"wrong label: {sentence!r} became {verdict.intent_label} by {speaking}"


@pytest.mark.parametrize(("rule", "sentence"), NEVER)
def test_the_rule_leaves_other_sentences_alone(rule: Rule, sentence: str) -> None:
    wrongly = [one.matched for one in classify(sentence).evidence if one.rule == rule.name]
    assert not wrongly, f"wrongly matched: {rule.name!r} found {wrongly} in {sentence!r}"


def test_every_intent_but_none_twice_has_rules() -> None:
    labels = {rule.intent_label for rule in RULES}
    assert len(labels) == 10
    assert len({rule.name for rule in RULES}) == len(RULES)
