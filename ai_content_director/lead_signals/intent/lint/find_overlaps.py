"""Finds wordings that another one makes needless, and wordings that decide for two intents at once."""

from collections.abc import Iterator, Sequence

from lead_signals.intent.classify import judge
from lead_signals.intent.lint.covered_path import CoveringPaths
from lead_signals.intent.lint.finding import Finding, FindingKind
from lead_signals.intent.lint.sample_texts import sample_texts
from lead_signals.intent.lint.spelled_pattern import SpelledPattern, SpelledRule
from lead_signals.intent.pack.rule_pack import RulePack

NEARLY_EQUAL = 0.05


def find_shadowed(patterns: Sequence[SpelledPattern]) -> Iterator[Finding]:
    """A wording is shadowed when others of its rule, or of rules that speak at least as often, fit every text it fits.

    From the last to the first, and what was found does not shadow others any more: all found together may be taken out.
    """
    covering: CoveringPaths[SpelledPattern] = CoveringPaths()
    for pattern in patterns:
        for path in pattern.paths:
            covering.add(path, pattern)
    gone: set[int] = set()
    for pattern in reversed(patterns):
        by: list[SpelledPattern] = []
        for path in pattern.paths:
            other = next((one for one in covering.of(path) if one.number not in gone and _speaks_whenever(one, pattern)), None)
            if other is None:
                break
            by.append(other)
        else:
            gone.add(pattern.number)
            first = by[0]
            yield Finding(
                FindingKind.SHADOWED,
                pattern.text.place,
                pattern.rule.written.rule.name,
                pattern.text.text,
                f"{first.text.text!r} in {first.text.place} fits whatever it fits; take this one out",
            )


def find_conflicting(asked: Sequence[SpelledPattern], patterns: Sequence[SpelledPattern], pack: RulePack) -> Iterator[Finding]:
    """Of the wordings asked about, those with a path that a wording of another intent fits too, which weighs nearly the same, and
    both speak about a text of it."""
    covering: CoveringPaths[SpelledPattern] = CoveringPaths()
    for pattern in patterns:
        for path in pattern.paths:
            covering.add(path, pattern)
    for pattern in asked:
        told: set[str] = set()
        for path in pattern.paths:
            for other in covering.of(path):
                name = other.rule.written.rule.name
                if name in told or not _decide_differently(pattern.rule, other.rule):
                    continue
                text = next((one for one in sample_texts(path) if _both_speak(one, pattern, other, pack)), None)
                if text is None:
                    continue
                told.add(name)
                yield Finding(
                    FindingKind.CONFLICTING,
                    pattern.text.place,
                    pattern.rule.written.rule.name,
                    pattern.text.text,
                    f"{text!r} is {pattern.rule.written.rule.intent_label} here and {other.rule.written.rule.intent_label} by the rule"
                    f" {name!r} ({other.text.place}), which weighs nearly the same; keep it in one of them, or let one weigh more",
                )


def _speaks_whenever(other: SpelledPattern, pattern: SpelledPattern) -> bool:
    """Whether nothing keeps `other` silent that would let `pattern` speak, and it says the same at least as loudly."""
    if other.number == pattern.number:
        return False
    if other.rule is pattern.rule:
        return True
    wide, narrow = other.rule.written.rule, pattern.rule.written.rule
    return (
        wide.intent_label is narrow.intent_label
        and wide.weight >= narrow.weight
        and other.rule.unlike <= pattern.rule.unlike
        and other.rule.unless <= pattern.rule.unless
        and (not other.rule.only_with or frozenset() < pattern.rule.only_with <= other.rule.only_with)
        and (wide.at_most_words is None or (narrow.at_most_words is not None and wide.at_most_words >= narrow.at_most_words))
        and (narrow.negatable or not wide.negatable)
    )


def _decide_differently(one: SpelledRule, other: SpelledRule) -> bool:
    first, second = one.written.rule, other.written.rule
    return first.intent_label is not second.intent_label and abs(first.weight - second.weight) <= NEARLY_EQUAL


def _both_speak(text: str, one: SpelledPattern, other: SpelledPattern, pack: RulePack) -> bool:
    speaking = {seen.rule for seen in judge(text, pack, ask_statistics=False).verdict.evidence}
    return {one.rule.written.rule.name, other.rule.written.rule.name} <= speaking
