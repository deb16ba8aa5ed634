"""Finds wordings that can never make their rule speak, and says why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lead_signals.intent.folding.syllable import FoldedWord
from lead_signals.intent.folding.text_folding import MONEY, NUMBER, fold_text
from lead_signals.intent.lint.covered_path import always_holds
from lead_signals.intent.lint.finding import Finding, FindingKind
from lead_signals.intent.lint.sample_texts import sample_texts
from lead_signals.intent.lint.spelled_pattern import EachAlone, SpelledPattern, SpelledRule
from lead_signals.intent.patterns.pattern import AnyOf, Wording

MOST_TRIED_PATHS = 60


def find_dead(
    patterns: Iterable[SpelledPattern], used: set[int], alone: EachAlone, abbreviations: Mapping[str, Sequence[FoldedWord]]
) -> Iterator[Finding]:
    """`used` are the numbers of wordings that some sentence of the pack uses: they live.

    Of the others one is dead when each of its paths has a reason why it can never speak, and no text made of its words makes it.
    """
    known = {short: tuple(meant) for short, meant in abbreviations.items()}
    for pattern in patterns:
        if pattern.number in used:
            continue
        reasons = [_reason(path, pattern.rule, known) for path in pattern.paths]
        if all(reasons) and not _speaks(pattern, alone):
            yield Finding(
                FindingKind.DEAD,
                pattern.text.place,
                pattern.rule.written.rule.name,
                pattern.text.text,
                f"it can never speak: {reasons[0]}; take it out, or mend it and write a sentence that it finds",
            )


def _speaks(pattern: SpelledPattern, alone: EachAlone) -> bool:
    beside = [text for path in sorted(pattern.rule.only_with, key=repr)[:3] for text in sample_texts(path)] or [""]
    return any(
        pattern.number in alone.speaking(f"{text}. {more}" if more else text)
        for path in pattern.paths[:MOST_TRIED_PATHS]
        for text in sample_texts(path)
        for more in beside[:3]
    )


def _reason(path: Wording, rule: SpelledRule, abbreviations: Mapping[str, tuple[FoldedWord, ...]]) -> str | None:
    most = rule.written.rule.at_most_words
    needed = sum(isinstance(step, AnyOf) and step.choices != {"#emoji"} and not _only_signs(step) for step in path.steps)
    if most is not None and needed > most:
        return f"it needs {needed} words, and at_most_words is {most}"
    for step in path.steps:
        if isinstance(step, AnyOf) and all(_never_typed(key, abbreviations) for key in step.choices):
            return f"no text holds {_one_of(step)} once it is read, for it is written out or cut apart"
    for before, step in zip(path.steps, path.steps[1:], strict=False):
        if isinstance(before, AnyOf) and isinstance(step, AnyOf) and _is_number(before) and all(map(_makes_money, step.choices)):
            return f"a number before {_one_of(step)} is read as #money"
    for word, silencers in (("unlike", rule.unlike), ("unless", rule.unless)):
        if any(always_holds(path, one) and (word == "unlike" or _silences_for_certain(one)) for one in silencers):
            return f"its own `{word}` always silences it"
    if rule.only_with and all(
        any(always_holds(needs, one) and _silences_for_certain(one) for one in rule.unless) for needs in rule.only_with
    ):
        return "whatever `only_with` asks for, `unless` silences"
    return None


def _only_signs(step: AnyOf) -> bool:
    """Whether none of the choices counts as a word, as emoji do not."""
    return all(not key[0].isalnum() and key != "#number" and not key.startswith("#") for key in step.choices)


def _never_typed(key: str, abbreviations: Mapping[str, tuple[FoldedWord, ...]]) -> bool:
    if key.startswith("#"):
        return False
    tokens = fold_text(key, abbreviations)
    return len(tokens) != 1 or tokens[0].folded != key


def _is_number(step: AnyOf) -> bool:
    return all(key == "#number" or [token.kind for token in fold_text(key)] == [NUMBER] for key in step.choices)


def _makes_money(key: str) -> bool:
    return [token.kind for token in fold_text(f"5 {key}")] == [MONEY]


def _silences_for_certain(one: Wording) -> bool:
    """A single word typed without its diacritics silences nothing."""
    return sum(isinstance(step, AnyOf) for step in one.steps) > 1


def _one_of(step: AnyOf) -> str:
    shown = sorted(step.choices)[:3]
    return " or ".join(repr(key) for key in shown)
