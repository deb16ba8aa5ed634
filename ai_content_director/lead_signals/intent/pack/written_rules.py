"""Rules as somebody wrote them down: every text with its place, nothing spelled out yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from lead_signals.intent.folding.syllable import FoldedWord
from lead_signals.intent.pack.pack_mistakes import Place
from lead_signals.intent.pack.rule import Rule


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A wording, a word or a sentence, and where it stands."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule and the places of its texts, in the order of the texts in `rule`."""

    rule: Rule
    place: Place
    any_of: tuple[WrittenText, ...]
    unlike: tuple[WrittenText, ...]
    unless: tuple[WrittenText, ...]
    only_with: tuple[WrittenText, ...]
    says: tuple[WrittenText, ...]
    never: tuple[WrittenText, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """All that is written of one language, or of one tenant: its words and its rules."""

    name: str
    word_sets: Mapping[str, tuple[WrittenText, ...]]
    abbreviations: Mapping[str, tuple[FoldedWord, ...]]
    particles: frozenset[str]
    idioms: tuple[WrittenText, ...]
    negators: tuple[WrittenText, ...]
    direct_negators: tuple[WrittenText, ...]
    no_negators: tuple[WrittenText, ...]
    rules: tuple[WrittenRule, ...]
