"""A rule pack: all rules of some languages, read from YAML, checked as a whole, and made ready to match.

A language is a folder with `language.yaml` (word sets, abbreviations, particles, idioms, negation) and `rules/*.yaml`, each
with one intent and its rules.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lead_signals.intent.pattern import AnyOf, PatternError, Wording, WordSets, read_pattern
from lead_signals.intent.pattern_walk import PatternTree
from lead_signals.intent.rule import Rule
from lead_signals.intent.syllable import FoldedWord, fold_word
from lead_signals.intent.verdict import IntentLabel

PACKAGED_LANGUAGES = ("vietnamese", "english")
_LANGUAGE_WORDS = frozenset({"word_sets", "abbreviations", "particles", "idioms", "negators", "direct_negators", "no_negators"})
_RULE_WORDS = frozenset({"rule", "weight", "any_of", "unlike", "unless", "only_with", "at_most_words", "negatable", "says", "not"})


class RulePackError(Exception):
    """The pack cannot be used; one line per mistake, each naming file, rule and reason. Nothing of it was loaded."""


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


@dataclass(frozen=True, slots=True)
class RulePack:
    """Everything `classify` needs. `name` changes whenever any file of the pack does."""

    name: str
    rules: tuple[Rule, ...]
    owners: tuple[PatternOwner, ...]
    tree: PatternTree
    particles: frozenset[str]
    abbreviations: Mapping[str, tuple[FoldedWord, ...]]


@cache
def packaged_rule_pack() -> RulePack:
    """The rules that come with the product, read once per process."""
    here = Path(__file__).parent
    return load_rule_pack([here / language for language in PACKAGED_LANGUAGES])


def load_rule_pack(languages: Sequence[Path]) -> RulePack:
    """Reads the language folders as one pack. Raises RulePackError with every mistake in every file."""
    reading = _Reading()
    for folder in languages:
        reading.read_language(folder)
    if not reading.problems and not reading.rules:
        reading.problems.append(f"{', '.join(map(str, languages)) or 'no folder given'}: there is no rule in it")
    if reading.problems:
        raise RulePackError("\n".join(reading.problems))
    owners = tuple(dict.fromkeys(owner for owner, _ in reading.patterns))
    numbers = {owner: number for number, owner in enumerate(owners)}
    return RulePack(
        name=f"{'+'.join(folder.name for folder in languages)}-{reading.digest.hexdigest()[:10]}",
        rules=tuple(reading.rules),
        owners=owners,
        tree=PatternTree((numbers[owner], path) for owner, path in reading.patterns),
        particles=frozenset(reading.particles),
        abbreviations=reading.abbreviations,
    )


class _Reading:
    """What has been read so far, and what was wrong with it."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.rules: list[Rule] = []
        self.patterns: list[tuple[PatternOwner, Wording]] = []
        self.particles: set[str] = set()
        self.abbreviations: dict[str, tuple[FoldedWord, ...]] = {}
        self.digest = hashlib.sha256()
        self._file_of_rule: dict[str, str] = {}

    def read_language(self, folder: Path) -> None:
        place = f"{folder.name}/language.yaml"
        language = self._read_yaml(folder / "language.yaml", place)
        if language is None:
            return
        self._refuse_other_words(language, _LANGUAGE_WORDS, place)
        word_sets = self._word_sets(language.get("word_sets", {}), place)
        self._read_abbreviations(language.get("abbreviations", {}), place)
        for phrase in self._sentences(language, "particles", place):
            self.particles.add(fold_word(phrase).folded)
        for role in (Role.IDIOM, Role.NEGATOR, Role.DIRECT_NEGATOR, Role.NO_NEGATOR):
            self._add_patterns(self._sentences(language, role.value, place), PatternOwner(role), word_sets, place)
        for file in sorted((folder / "rules").glob("*.yaml")):
            self._read_rules(file, f"{folder.name}/rules/{file.name}", word_sets)

    def _read_yaml(self, file: Path, place: str) -> dict[str, Any] | None:
        try:
            raw = file.read_bytes()
            content = yaml.load(raw, Loader=_OnceKeyedLoader)  # noqa: S506 -- a CSafeLoader that also refuses double keys
        except OSError as error:
            self.problems.append(f"{place}: cannot be read ({error.__class__.__name__})")
            return None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            self.problems.append(f"{place}: is no YAML: {' '.join(str(error).split())}")
            return None
        self.digest.update(place.encode() + b"\0" + raw + b"\0")
        if not isinstance(content, dict):
            self.problems.append(f"{place}: must be a mapping, is {type(content).__name__}")
            return None
        return content

    def _word_sets(self, content: Any, place: str) -> WordSets:
        if not isinstance(content, dict):
            self.problems.append(f"{place}: word_sets must map names to lists of words")
            return {}
        return {str(name): self._sentences(content, str(name), f"{place}: word set @{name}") for name in content}

    def _read_abbreviations(self, content: Any, place: str) -> None:
        if not isinstance(content, dict):
            self.problems.append(f"{place}: abbreviations must map a typed word to what it means")
            return
        for typed, meant in content.items():
            if not isinstance(typed, str) or not isinstance(meant, str) or not meant.split() or len(typed.split()) != 1:
                self.problems.append(f"{place}: abbreviation {typed!r}: must be one quoted word, and mean words")
                continue
            self.abbreviations[fold_word(typed).folded] = tuple(fold_word(word) for word in meant.split())

    def _read_rules(self, file: Path, place: str, word_sets: WordSets) -> None:
        content = self._read_yaml(file, place)
        if content is None:
            return
        self._refuse_other_words(content, frozenset({"intent", "rules"}), place)
        try:
            intent_label = IntentLabel(str(content.get("intent")))
        except ValueError:
            self.problems.append(f"{place}: intent {content.get('intent')!r} is none of {', '.join(IntentLabel)}")
            return
        written_rules = content.get("rules")
        if not isinstance(written_rules, list) or not written_rules:
            self.problems.append(f"{place}: rules must be a list of rules")
            return
        for number, written in enumerate(written_rules, start=1):
            if isinstance(written, dict) and isinstance(written.get("rule"), str) and written["rule"].strip():
                self._read_rule(written, intent_label, word_sets, place)
            else:
                self.problems.append(f"{place}: rule number {number}: needs a name (`rule: asks for a quote`)")

    def _read_rule(self, written: dict[str, Any], intent_label: IntentLabel, word_sets: WordSets, file: str) -> None:
        name = written["rule"].strip()
        place = f"{file}: rule {name!r}"
        self._refuse_other_words(written, _RULE_WORDS, place)
        if name in self._file_of_rule:
            self.problems.append(f"{place}: the name is taken by a rule in {self._file_of_rule[name]}")
        self._file_of_rule[name] = file
        rule = Rule(
            name=name,
            intent_label=intent_label,
            weight=self._weight(written, place),
            any_of=self._sentences(written, "any_of", place),
            unlike=self._sentences(written, "unlike", place),
            unless=self._sentences(written, "unless", place),
            only_with=self._sentences(written, "only_with", place),
            at_most_words=self._at_most_words(written, place),
            negatable=self._negatable(written, place),
            says=self._sentences(written, "says", place),
            never=self._sentences(written, "not", place),
        )
        for needed, given in (("any_of", rule.any_of), ("says", rule.says), ("not", rule.never)):
            if not given:
                self.problems.append(f"{place}: needs `{needed}`, a list of at least one text")
        number = len(self.rules)
        self.rules.append(rule)
        for role, patterns in (
            (Role.RULE, rule.any_of),
            (Role.UNLIKE, rule.unlike),
            (Role.UNLESS, rule.unless),
            (Role.ONLY_WITH, rule.only_with),
        ):
            self._add_patterns(patterns, PatternOwner(role, number), word_sets, place)

    def _weight(self, written: dict[str, Any], place: str) -> float:
        weight = written.get("weight")
        if isinstance(weight, (int, float)) and not isinstance(weight, bool) and 0 < weight < 1:
            return float(weight)
        self.problems.append(f"{place}: weight must be a number between 0 and 1, is {weight!r}")
        return 0.0

    def _at_most_words(self, written: dict[str, Any], place: str) -> int | None:
        words = written.get("at_most_words")
        if words is None or (isinstance(words, int) and not isinstance(words, bool) and words >= 1):
            return words
        self.problems.append(f"{place}: at_most_words must be a whole number from 1, is {words!r}")
        return None

    def _negatable(self, written: dict[str, Any], place: str) -> bool:
        negatable = written.get("negatable", True)
        if isinstance(negatable, bool):
            return negatable
        self.problems.append(f"{place}: negatable must be true or false, is {negatable!r}")
        return True

    def _sentences(self, content: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        """A list of texts; YAML reads a bare no, on or 12 as something else, which is refused here by name."""
        listed = content.get(key, [])
        if not isinstance(listed, list):
            self.problems.append(f"{place}: {key} must be a list of texts, is {type(listed).__name__}")
            return ()
        wrong = [one for one in listed if not isinstance(one, str) or not one.strip()]
        if wrong:
            self.problems.append(f"{place}: {key} holds {wrong[0]!r}, which is no text; put it in quotes")
        return tuple(one for one in listed if isinstance(one, str) and one.strip())

    def _add_patterns(self, patterns: Sequence[str], owner: PatternOwner, word_sets: WordSets, place: str) -> None:
        known = self.abbreviations.keys()
        for pattern in patterns:
            try:
                paths = read_pattern(pattern, word_sets)
            except PatternError as error:
                self.problems.append(f"{place}: {owner.role.value}: {error}")
                continue
            short = sorted({key for path in paths for step in path.steps if isinstance(step, AnyOf) for key in step.choices} & known)
            if short:
                self.problems.append(
                    f"{place}: {owner.role.value}: {pattern!r} holds {', '.join(short)}, which is read in full; write it in full"
                )
            self.patterns += [(owner, path) for path in paths]

    def _refuse_other_words(self, content: dict[str, Any], allowed: frozenset[str], place: str) -> None:
        others = sorted(str(key) for key in content if key not in allowed)
        if others:
            self.problems.append(f"{place}: does not know {', '.join(others)}; allowed are {', '.join(sorted(allowed))}")


class _OnceKeyedLoader(yaml.CSafeLoader):
    """YAML lets a second `says:` silently replace the first; here it is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
