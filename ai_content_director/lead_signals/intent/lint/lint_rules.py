"""Looks at rules beyond their sentences: which wordings can never speak, hide behind others, contradict or run away."""

from collections.abc import Callable, Iterator, Sequence

from lead_signals.intent.lint.find_dead import find_dead
from lead_signals.intent.lint.find_overlaps import find_conflicting, find_shadowed
from lead_signals.intent.lint.finding import Finding, FindingKind
from lead_signals.intent.lint.spelled_pattern import EachAlone, SpelledPattern, spell_rules
from lead_signals.intent.pack.rule import Rule
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.intent.patterns.ways_through_gaps import why_running_away

_ORDER = tuple(FindingKind)


def lint_rules(rule_pack: RulePack, only: Callable[[Rule], bool] | None = None) -> list[Finding]:
    """Findings about the rules for which `only` is true, or all: errors first, then in the order of files and lines."""
    patterns = spell_rules(rule_pack)
    alone = EachAlone(rule_pack, patterns)
    used, proven = _used_and_proven(patterns, alone)
    asked = [pattern for pattern in patterns if only is None or only(pattern.rule.written.rule)]
    findings = [
        *find_dead(asked, used, alone, rule_pack.abbreviations),
        *find_conflicting(asked, patterns, rule_pack),
        *_running_away(patterns),
        *find_shadowed(patterns),
    ]
    told = {finding.place for finding in findings if finding.kind in {FindingKind.DEAD, FindingKind.SHADOWED}}
    findings += [finding for finding in _unproven(patterns, proven) if finding.place not in told]
    wanted = {pattern.rule.written.rule.name for pattern in asked}
    return sorted((one for one in findings if one.rule in wanted), key=lambda one: (_ORDER.index(one.kind), one.place.file, one.place.line))


def _used_and_proven(patterns: Sequence[SpelledPattern], alone: EachAlone) -> tuple[set[int], set[int]]:
    """The numbers of wordings that speak about any sentence of the pack, and of those that do so about one their own rule says."""
    used: set[int] = set()
    proven: set[int] = set()
    for rule in {id(pattern.rule): pattern.rule for pattern in patterns}.values():
        for sentence in rule.written.says:
            speaking = alone.speaking(sentence.text)
            used |= speaking
            proven |= {number for number in speaking if patterns[number].rule is rule}
        for sentence in rule.written.never:
            used |= alone.speaking(sentence.text)
    return used, proven


def _running_away(patterns: Sequence[SpelledPattern]) -> Iterator[Finding]:
    for pattern in patterns:
        for advice in why_running_away(pattern.paths):
            yield _finding(FindingKind.RUNS_AWAY, pattern, advice)


def _unproven(patterns: Sequence[SpelledPattern], proven: set[int]) -> Iterator[Finding]:
    for pattern in patterns:
        if pattern.number not in proven:
            yield _finding(FindingKind.UNPROVEN, pattern, "no sentence under `says` uses it; add one that does")


def _finding(kind: FindingKind, pattern: SpelledPattern, advice: str) -> Finding:
    return Finding(kind, pattern.text.place, pattern.rule.written.rule.name, pattern.text.text, advice)
