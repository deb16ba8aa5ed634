"""A pattern: how a rule writes down the wordings it knows.

    báo giá                     these words, one after the other, within one sentence
    {xin|cho tôi} giá           one of several; an alternative may be several words
    [em|mình] mua               may be there or not
    @unit                       a word set of the language, written once for all rules
    #number #money #phone #email #link #emoji #name ?      a kind of token
    giá ~3 bao nhiêu            up to three words between, without a comma
    ^ib$                        ^ the text begins here, $ it ends here; particles and greetings around it do not count

Nothing repeats without a bound, so matching costs a bounded number of steps for each place in a text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lead_signals.intent.folding.syllable import fold_word
from lead_signals.intent.folding.text_folding import EMAIL, EMOJI, LINK, MONEY, NUMBER, PHONE, QUESTION, fold_text

NAME = "name"
KINDS = frozenset({NUMBER, MONEY, PHONE, EMAIL, LINK, EMOJI, NAME})
LONGEST_GAP = 8
MOST_GAPS = 2
MOST_PATHS = 4_000
# The longest wording of the packaged rules has eleven steps.
MOST_STEPS = 24
_PIECE = re.compile(r"\{(?P<one>[^{}\[\]]*)\}|\[(?P<maybe>[^{}\[\]]*)\]|(?P<plain>[^\s{}\[\]]+)|(?P<stray>[{}\[\]])")

WordSets = Mapping[str, tuple[str, ...]]


class PatternError(ValueError):
    """The pattern cannot be read; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A step of one token: one of these words (folded) or kinds (`#number`)."""

    choices: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gap:
    """A step over at most `longest` tokens of any kind."""

    longest: int


Step = AnyOf | Gap


@dataclass(frozen=True, slots=True)
class Wording:
    """One way through a pattern, alternatives of several words and optional parts spelled out."""

    steps: tuple[Step, ...]
    from_start: bool
    to_end: bool


def read_pattern(written: str, word_sets: WordSets) -> tuple[Wording, ...]:
    """All paths of a written pattern. Raises PatternError."""
    body = written.strip()
    from_start, to_end = body.startswith("^"), body.endswith("$")
    body = body.removeprefix("^").removesuffix("$")
    ways: list[tuple[Step, ...]] = [()]
    for match in _PIECE.finditer(body):
        if match.group("stray"):
            raise PatternError(f"stray {match.group()!r} in {_shortened(written)!r}; brackets come in pairs and do not nest")
        ways = _each_with_each(ways, _options(match, word_sets, written), written)
    paths = tuple(Wording(way, from_start, to_end) for way in dict.fromkeys(ways))
    for path in paths:
        _refuse_unbounded(path, written)
    return paths


def _each_with_each(ways: list[tuple[Step, ...]], options: Sequence[tuple[Step, ...]], written: str) -> list[tuple[Step, ...]]:
    """Asks how many before it makes them: a short pattern can spell out to more than a machine holds."""
    if len(ways) * len(options) > MOST_PATHS:
        raise PatternError(f"{_shortened(written)!r} spells out to more than {MOST_PATHS} paths; split it")
    longer = [way + option for way in ways for option in options]
    if any(len(way) > MOST_STEPS for way in longer):
        raise PatternError(f"{_shortened(written)!r} is longer than {MOST_STEPS} words; split it")
    return longer


def _options(match: re.Match[str], word_sets: WordSets, written: str) -> list[tuple[Step, ...]]:
    if match.group("plain"):
        return _spell_out([match.group("plain")], word_sets, written)
    inside = match.group("one") if match.group("one") is not None else match.group("maybe")
    alternatives = [part.strip() for part in inside.split("|")]
    if not all(alternatives):
        raise PatternError(f"empty alternative in {_shortened(written)!r}")
    options = _spell_out(alternatives, word_sets, written)
    return [*options, ()] if match.group("maybe") is not None else options


def _spell_out(alternatives: Sequence[str], word_sets: WordSets, written: str) -> list[tuple[Step, ...]]:
    """Alternatives of one token become one step together; each longer one becomes its own way."""
    if len(alternatives) == 1 and alternatives[0][1:] in word_sets and alternatives[0].startswith("@"):
        return _spelled_set(word_sets[alternatives[0][1:]])
    single: set[str] = set()
    longer: list[tuple[Step, ...]] = []
    for alternative in alternatives:
        for words in _named_words(alternative, word_sets, written):
            if len(words) == 1 and isinstance(words[0], AnyOf):
                single |= words[0].choices
            else:
                longer.append(words)
    return [(AnyOf(frozenset(single)),), *longer] if single else longer


def _named_words(alternative: str, word_sets: WordSets, written: str) -> list[tuple[Step, ...]]:
    ways: list[tuple[Step, ...]] = [()]
    for part in alternative.split():
        options: list[tuple[Step, ...]]
        if part.startswith("@"):
            if part[1:] not in word_sets:
                raise PatternError(f"no word set {part} (in {_shortened(written)!r})")
            options = _spelled_set(word_sets[part[1:]])
        elif part.startswith("#"):
            if part[1:] not in KINDS:
                raise PatternError(
                    f"no kind {part} (in {_shortened(written)!r}); there are {', '.join('#' + kind for kind in sorted(KINDS))}"
                )
            options = [(AnyOf(frozenset({part})),)]
        elif part.startswith("~"):
            options = [(Gap(_gap_length(part, written)),)]
        else:
            options = [tuple(AnyOf(frozenset({key})) for key in _keys(part, written))]
        ways = _each_with_each(ways, options, written)
    return ways


@lru_cache(maxsize=256)
def _spelled_set(words: tuple[str, ...]) -> list[tuple[Step, ...]]:
    """A word set is spelled out once for all patterns that name it. It names no other set, so it cannot hold itself."""
    return _spell_out(words, {}, ", ".join(words[:3]))


def _gap_length(part: str, written: str) -> int:
    length = part[1:]
    if not (length.isdecimal() and len(length) <= 2) or not 1 <= int(length) <= LONGEST_GAP:
        raise PatternError(f"{part!r} in {_shortened(written)!r}: a gap is ~1 to ~{LONGEST_GAP}")
    return int(length)


def _keys(part: str, written: str) -> list[str]:
    """A plain word as the text folding would see it; `what's` is two tokens there, so it is two steps here."""
    keys = ["#question" if token.kind == QUESTION else token.folded for token in fold_text(part)]
    if not keys:
        raise PatternError(f"{part!r} in {_shortened(written)!r} has no word in it")
    return keys


def _refuse_unbounded(path: Wording, written: str) -> None:
    if not any(isinstance(step, AnyOf) for step in path.steps):
        raise PatternError(f"{_shortened(written)!r} can match without a single word")
    if isinstance(path.steps[0], Gap) or (isinstance(path.steps[-1], Gap) and not path.to_end):
        raise PatternError(f"{_shortened(written)!r} begins or ends with a gap, which says nothing; drop it")
    if sum(isinstance(step, Gap) for step in path.steps) > MOST_GAPS:
        raise PatternError(f"{_shortened(written)!r} has more than {MOST_GAPS} gaps")


def _shortened(written: str) -> str:
    return written if len(written) <= 200 else written[:199] + "…"


def bare_key(key: str) -> str:
    """The word of a pattern without diacritics; kinds stay as they are."""
    return key if key.startswith("#") else fold_word(key).bare
