"""Looks at rules beyond their sentences: which wordings can never speak, hide behind others, contradict or run away."""

from collections.abc import Callable, Iterator, Sequence
from math import prod

from lead_signals.intent.lint.find_dead import find_dead
from lead_signals.intent.lint.find_overlaps import find_conflicting, find_shadowed
from lead_signals.intent.lint.finding import Finding, FindingKind
from lead_signals.intent.lint.spelled_pattern import EachAlone, SpelledPattern, spell_rules
from lead_signals.intent.pack.rule import Rule
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.intent.patterns.pattern import Gap, Wording

# Of the packaged wordings 99 in 100 stay below half of either.
MOST_PATHS_OF_A_PATTERN = 1_000
MOST_WAYS_THROUGH_GAPS = 40

_ORDER = tuple(FindingKind)


def lint_rules(rule_pack: RulePack, only: Callable[[Rule], bool] | None = None) -> list[Finding]:
    """Findings about the rules for which `only` is true, or all: errors first, then in the order of files and lines."""
    patterns = spell_rules(rule_pack)
    alone = EachAlone(rule_pack, patterns)
    used, proven = _used_and_proven(patterns, alone)
    findings = [
        *find_dead(patterns, used, alone, rule_pack.abbreviations),
        *find_conflicting(patterns, rule_pack),
        *_running_away(patterns),
        *find_shadowed(patterns),
    ]
    told = {finding.place for finding in findings if finding.kind in {FindingKind.DEAD, FindingKind.SHADOWED}}
    findings += [finding for finding in _unproven(patterns, proven) if finding.place not in told]
    wanted = {pattern.rule.written.rule.name for pattern in patterns if only is None or only(pattern.rule.written.rule)}
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
        if len(pattern.paths) > MOST_PATHS_OF_A_PATTERN:
            advice = f"spells out to {len(pattern.paths)} paths, more than {MOST_PATHS_OF_A_PATTERN}; split it, or drop optional parts"
            yield _finding(FindingKind.RUNS_AWAY, pattern, advice)
        ways = max(map(_ways_through_gaps, pattern.paths))
        if ways > MOST_WAYS_THROUGH_GAPS:
            advice = f"its gaps can be passed in {ways} ways at each place of a text, more than {MOST_WAYS_THROUGH_GAPS}; shorten one"
            yield _finding(FindingKind.RUNS_AWAY, pattern, advice)


def _unproven(patterns: Sequence[SpelledPattern], proven: set[int]) -> Iterator[Finding]:
    for pattern in patterns:
        if pattern.number not in proven:
            yield _finding(FindingKind.UNPROVEN, pattern, "no sentence under `says` uses it; add one that does")


def _ways_through_gaps(path: Wording) -> int:
    return prod(step.longest + 1 for step in path.steps if isinstance(step, Gap))


def _finding(kind: FindingKind, pattern: SpelledPattern, advice: str) -> Finding:
    return Finding(kind, pattern.text.place, pattern.rule.written.rule.name, pattern.text.text, advice)
