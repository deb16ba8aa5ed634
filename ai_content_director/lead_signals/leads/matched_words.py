"""The words of a lead's text that made its verdict: the text cut into stretches, each with the rules that spoke about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

MOST_EVIDENCE: Final = 40
"""Per lead; real verdicts have a handful. So a text has at most twice as many marked stretches."""
LONGEST_NAME_CHARACTERS: Final = 80
"""Of a rule or an intent; those of the packaged rules have 46 at most."""


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """One rule and where it matched: `start` and `end` count characters of the text and lie inside it."""

    rule: str
    start: int
    end: int
    intent_label: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the text. `rules` spoke about it; `decided` when one of them speaks for the intent the lead was given."""

    text: str
    rules: tuple[str, ...]
    decided: bool


def matched_rules(text: str, evidence: Any) -> list[MatchedRule]:
    """`meta.evidence` read with distrust: what is no rule, or lies outside the text, is left out. Order of the text."""
    listed = evidence if isinstance(evidence, list) else []
    read = (_matched_rule(len(text), item) for item in listed[:MOST_EVIDENCE])
    return sorted((rule for rule in read if rule is not None), key=lambda rule: (rule.start, rule.end))


def stretches(text: str, rules: Sequence[MatchedRule], intent_label: str) -> list[Stretch]:
    """The whole text in its order; joined together it is the text again, however the rules overlap."""
    edges = sorted({0, len(text), *(rule.start for rule in rules), *(rule.end for rule in rules)})
    return list(_stretches(text, rules, intent_label, edges))


def cut_out(parts: Sequence[Stretch], start: int, end: int) -> list[Stretch]:
    """The characters from `start` to before `end` of a text already cut into stretches."""
    kept: list[Stretch] = []
    position = 0
    for part in parts:
        text = part.text[max(start - position, 0) : max(end - position, 0)]
        position += len(part.text)
        if text:
            kept.append(Stretch(text, part.rules, part.decided))
    return kept


def _matched_rule(length: int, item: Any) -> MatchedRule | None:
    if not isinstance(item, dict):
        return None
    rule, start, end, intent_label = (item.get(name) for name in ("rule", "start", "end", "intent_label"))
    if not isinstance(rule, str) or type(start) is not int or type(end) is not int or not 0 <= start < end <= length:
        return None
    intent = intent_label[:LONGEST_NAME_CHARACTERS] if isinstance(intent_label, str) else ""
    return MatchedRule(rule[:LONGEST_NAME_CHARACTERS], start, end, intent)


def _stretches(text: str, rules: Sequence[MatchedRule], intent_label: str, edges: Sequence[int]) -> Iterator[Stretch]:
    for start, end in pairwise(edges):
        here = [rule for rule in rules if rule.start <= start and end <= rule.end]
        yield Stretch(
            text[start:end], tuple(dict.fromkeys(rule.rule for rule in here)), any(rule.intent_label == intent_label for rule in here)
        )
