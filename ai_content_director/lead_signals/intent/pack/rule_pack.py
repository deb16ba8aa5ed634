"""A rule pack: all rules of some languages, read from YAML, checked as a whole, and made ready to match.

A language is a folder with `language.yaml` (word sets, abbreviations, particles, idioms, negation) and `rules/*.yaml`, each
with one intent and its rules.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Protocol

from lead_signals.intent.folding.syllable import FoldedWord
from lead_signals.intent.folding.text_folding import Token
from lead_signals.intent.pack.pack_mistakes import PackMistakes, Place
from lead_signals.intent.pack.read_language import read_language_folder
from lead_signals.intent.pack.rule import Rule
from lead_signals.intent.pack.spell_out import SpellingOut, plain_word_sets
from lead_signals.intent.pack.written_rules import Language, WrittenText
from lead_signals.intent.patterns.pattern import Wording, WordSets
from lead_signals.intent.patterns.pattern_walk import Found, PatternTree

PACKAGED_LANGUAGES = ("vietnamese", "english")


class RulePackError(Exception):
    """The pack cannot be used; one line per mistake, each naming file, line, rule and reason. Nothing of it was loaded."""


class Role(StrEnum):
    """What it means that a pattern fits."""

    RULE = "any_of"
    UNLIKE = "unlike"
    UNLESS = "unless"
    ONLY_WITH = "only_with"
    IDIOM = "idioms"
    NEGATOR = "negators"
    DIRECT_NEGATOR = "direct_negators"
    NO_NEGATOR = "no_negators"


@dataclass(frozen=True, slots=True)
class PatternOwner:
    """Whose pattern it is: a rule (by its place in the pack) or, with -1, the language."""

    role: Role
    rule_number: int = -1


class Tree(Protocol):
    """What patterns are looked for with: a `PatternTree`, or several as one."""

    def walk(self, tokens: Sequence[Token], opening: int, closing: int) -> list[Found]:
        """As `PatternTree.walk`."""


@dataclass(frozen=True, slots=True)
class RulePack:
    """Everything `classify` needs. `name` changes whenever any file of the pack does.

    `languages` are what it was made of, as written, and `word_sets` the sets that `@name` meant in each of them; rules named in
    `silenced` keep their place among `rules` and never speak. `own_rules` are the names of a tenant's rules.
    """

    name: str
    rules: tuple[Rule, ...]
    owners: tuple[PatternOwner, ...]
    tree: Tree
    particles: frozenset[str]
    abbreviations: Mapping[str, tuple[FoldedWord, ...]]
    languages: tuple[Language, ...] = ()
    word_sets: tuple[WordSets, ...] = ()
    silenced: frozenset[str] = frozenset()
    own_rules: frozenset[str] = frozenset()


@cache
def packaged_rule_pack() -> RulePack:
    """The rules that come with the product, read once per process."""
    here = Path(__file__).parents[1]
    return load_rule_pack([here / language for language in PACKAGED_LANGUAGES])


def load_rule_pack(languages: Sequence[Path]) -> RulePack:
    """Reads the language folders as one pack. Raises RulePackError with every mistake in every file."""
    mistakes = PackMistakes()
    taken: dict[str, Place] = {}
    read = [read_language_folder(folder, taken, mistakes) for folder in languages]
    if not mistakes and not any(language.rules for language, _ in read):
        mistakes.add(Place(", ".join(map(str, languages)) or "no folder given", 1), "there is no rule in it")
    digest = hashlib.sha256(b"".join(content for _, content in read))
    name = f"{'+'.join(folder.name for folder in languages)}-{digest.hexdigest()[:10]}"
    return _assemble(name, [language for language, _ in read], mistakes)


def vietnamese_names(pack: RulePack) -> Mapping[str, str]:
    """The rules of a pack that have a Vietnamese name, by their name."""
    return {rule.name: rule.vi for rule in pack.rules if rule.vi is not None}


def patterns_of(language: Language, first_number: int) -> Iterator[tuple[PatternOwner, WrittenText, str]]:
    """Every wording written in a language: whose it is, the wording, and how a mistake in it begins.

    Its rules are numbered from `first_number` on.
    """
    for role, texts in (
        (Role.IDIOM, language.idioms),
        (Role.NEGATOR, language.negators),
        (Role.DIRECT_NEGATOR, language.direct_negators),
        (Role.NO_NEGATOR, language.no_negators),
    ):
        for text in texts:
            yield PatternOwner(role), text, role.value
    for number, written in enumerate(language.rules, start=first_number):
        for role, texts in (
            (Role.RULE, written.any_of),
            (Role.UNLIKE, written.unlike),
            (Role.UNLESS, written.unless),
            (Role.ONLY_WITH, written.only_with),
        ):
            for text in texts:
                yield PatternOwner(role, number), text, f"rule {written.rule.name!r}: {role.value}"


def grow_tree(
    patterns: Iterable[tuple[PatternOwner, Wording]], numbers: Mapping[PatternOwner, int], *, is_bounded: bool = False
) -> PatternTree:
    """The patterns as one tree; what it finds is owned by the number of its owner. `is_bounded` as in `PatternTree`."""
    return PatternTree(((numbers[owner], path) for owner, path in patterns), is_bounded=is_bounded)


def _assemble(name: str, languages: Sequence[Language], mistakes: PackMistakes) -> RulePack:
    abbreviations = {short: meant for language in languages for short, meant in language.abbreviations.items()}
    spelling = SpellingOut(mistakes, abbreviations.keys())
    patterns: list[tuple[PatternOwner, Wording]] = []
    rules: list[Rule] = []
    for language in languages:
        word_sets = plain_word_sets(language.word_sets)
        for owner, text, of in patterns_of(language, len(rules)):
            patterns += [(owner, path) for path in spelling.paths(text, of, word_sets)]
        rules += [written.rule for written in language.rules]
    if mistakes:
        raise RulePackError(mistakes.told())
    owners = tuple(dict.fromkeys(owner for owner, _ in patterns))
    return RulePack(
        name=name,
        rules=tuple(rules),
        owners=owners,
        tree=grow_tree(patterns, {owner: number for number, owner in enumerate(owners)}),
        particles=frozenset().union(*(language.particles for language in languages)),
        abbreviations=abbreviations,
        languages=tuple(languages),
        word_sets=tuple(plain_word_sets(language.word_sets) for language in languages),
    )
