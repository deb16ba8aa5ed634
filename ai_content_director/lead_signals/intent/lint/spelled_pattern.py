"""The wordings of a pack's rules, each by itself: spelled out, and asked whether it makes its rule speak."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lead_signals.intent.classify import judge
from lead_signals.intent.pack.rule_pack import PatternOwner, Role, RulePack, grow_tree, patterns_of
from lead_signals.intent.pack.written_rules import WrittenRule, WrittenText
from lead_signals.intent.patterns.pattern import Wording, read_pattern

LANGUAGE = -1


@dataclass(frozen=True, slots=True)
class SpelledRule:
    """A rule with the paths of what silences it, whatever its wording."""

    written: WrittenRule
    unlike: frozenset[Wording]
    unless: frozenset[Wording]
    only_with: frozenset[Wording]


@dataclass(frozen=True, slots=True)
class SpelledPattern:
    """One wording of `any_of`. `number` counts those of the pack."""

    number: int
    rule: SpelledRule
    text: WrittenText
    paths: tuple[Wording, ...]


def spell_rules(pack: RulePack) -> list[SpelledPattern]:
    """Every wording of every rule that may speak, in the order of the pack."""
    spelled: list[SpelledPattern] = []
    for language, word_sets in zip(pack.languages, pack.word_sets, strict=True):
        for written in language.rules:
            if written.rule.name in pack.silenced:
                continue
            rule = SpelledRule(
                written,
                *(
                    frozenset(path for text in texts for path in read_pattern(text.text, word_sets))
                    for texts in (written.unlike, written.unless, written.only_with)
                ),
            )
            for text in written.any_of:
                spelled.append(SpelledPattern(len(spelled), rule, text, read_pattern(text.text, word_sets)))
    return spelled


class EachAlone:
    """The pack with each wording as a rule of its own, under all the conditions of the rule it belongs to."""

    def __init__(self, pack: RulePack, patterns: Sequence[SpelledPattern]) -> None:
        self._pack = _each_alone(pack, patterns)

    def speaking(self, text: str) -> set[int]:
        """The numbers of the wordings that speak about `text`."""
        return {int(one.rule) for one in judge(text, self._pack, ask_statistics=False).verdict.evidence}


def _each_alone(pack: RulePack, patterns: Sequence[SpelledPattern]) -> RulePack:
    owned: list[tuple[PatternOwner, Wording]] = [
        (owner, path)
        for language, word_sets in zip(pack.languages, pack.word_sets, strict=True)
        for owner, text, _ in patterns_of(language, 0)
        if owner.rule_number == LANGUAGE
        for path in read_pattern(text.text, word_sets)
    ]
    for pattern in patterns:
        for role, paths in (
            (Role.RULE, pattern.paths),
            (Role.UNLIKE, pattern.rule.unlike),
            (Role.UNLESS, pattern.rule.unless),
            (Role.ONLY_WITH, pattern.rule.only_with),
        ):
            owned += [(PatternOwner(role, pattern.number), path) for path in paths]
    owners = tuple(dict.fromkeys(owner for owner, _ in owned))
    return replace(
        pack,
        rules=tuple(replace(pattern.rule.written.rule, name=str(pattern.number)) for pattern in patterns),
        owners=owners,
        tree=grow_tree(owned, {owner: number for number, owner in enumerate(owners)}),
    )
