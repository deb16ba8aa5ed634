"""All patterns of a rule pack as one tree, walked over the tokens of a text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lead_signals.intent.pattern import NAME, AnyOf, Wording, bare_key
from lead_signals.intent.text_folding import WORD, Token


class Found(NamedTuple):
    """A pattern that fits tokens `first` up to, not including, `after`.

    `fixed` has a bit for each token that is a word of the pattern (bit 0 is `first`); the others fell into a gap.
    `guessed` counts words the person typed without the diacritics that the pattern has.
    """

    owner: int
    first: int
    after: int
    fixed: int
    guessed: int

    @property
    def words(self) -> int:
        """How many tokens are words of the pattern."""
        return self.fixed.bit_count()

    def touches(self, first: int, after: int) -> bool:
        """Whether a word of the pattern lies among these tokens."""
        return bool(self._overlap(first, after))

    def holds(self, first: int, after: int) -> bool:
        """Whether all these tokens are words of the pattern."""
        return self._overlap(first, after).bit_count() == after - first

    def _overlap(self, first: int, after: int) -> int:
        low = max(first - self.first, 0)
        high = max(after - self.first, 0)
        return self.fixed & ((1 << high) - (1 << low))


_Choices = dict[int, int]


class _Ending(NamedTuple):
    owner: int
    to_end: bool


@dataclass(slots=True)
class _Node:
    onward: "dict[int, _Node]" = field(default_factory=dict)
    gaps: "dict[int, _Node]" = field(default_factory=dict)
    endings: list[_Ending] = field(default_factory=list)


class PatternTree:
    """Patterns share their beginnings, so a text is compared with all of them at once.

    A word of a pattern fits a token with the same diacritics, or one typed without any; never one typed with others.
    """

    def __init__(self, patterns: Iterable[tuple[int, Wording]]) -> None:
        """`patterns` are (owner, path); owners come back in `Found`."""
        self._anywhere = _Node()
        self._at_start = _Node()
        self._choice_numbers: dict[frozenset[str], int] = {}
        # word or kind -> the choices it belongs to, each with 1 if that is a guess about missing diacritics
        self._lexicon: dict[str, _Choices] = {}
        for owner, path in patterns:
            self._add(owner, path)

    def _add(self, owner: int, path: Wording) -> None:
        node = self._at_start if path.from_start else self._anywhere
        for step in path.steps:
            if isinstance(step, AnyOf):
                node = node.onward.setdefault(self._number(step.choices), _Node())
            else:
                node = node.gaps.setdefault(step.longest, _Node())
        ending = _Ending(owner, path.to_end)
        if ending not in node.endings:
            node.endings.append(ending)

    def _number(self, choices: frozenset[str]) -> int:
        known = self._choice_numbers.get(choices)
        if known is not None:
            return known
        number = len(self._choice_numbers)
        self._choice_numbers[choices] = number
        for key in choices:
            self._lexicon.setdefault(key, {})[number] = 0
        for key in sorted({bare_key(key) for key in choices} - choices):
            self._lexicon.setdefault(key, {})[number] = 1
        return number

    def walk(self, tokens: Sequence[Token], opening: int, closing: int) -> list[Found]:
        """Everything that fits. `opening` is the first token that says something, `closing` the one after the last."""
        walk = _Walk(tokens, [_read(token, self._lexicon) for token in tokens], closing, [])
        for first, choices in enumerate(walk.read):
            if choices:
                walk.follow(self._anywhere, (first, first, 0, 0))
                if first <= opening:
                    walk.follow(self._at_start, (first, first, 0, 0))
        return walk.found


_NO_CHOICES: _Choices = {}


def _read(token: Token, lexicon: dict[str, _Choices]) -> _Choices:
    choices = lexicon.get(token.folded, _NO_CHOICES)
    if token.kind != WORD:
        return choices | lexicon.get("#" + token.kind, _NO_CHOICES)
    if token.capitalised:
        return choices | lexicon.get("#" + NAME, _NO_CHOICES)
    return choices


@dataclass(slots=True)
class _Walk:
    """One walk over one text. `read` holds, for each token, the choices it belongs to."""

    tokens: Sequence[Token]
    read: list[_Choices]
    closing: int
    found: list[Found]

    def follow(self, node: _Node, at: tuple[int, int, int, int]) -> None:
        """Everything that fits from `node` on; `at` is (first token, token reached, words matched as bits, words guessed)."""
        first, here, fixed, guessed = at
        for ending in node.endings:
            if not ending.to_end or here >= self.closing:
                self.found.append(Found(ending.owner, first, here, fixed, guessed))
        tokens, onward = self.tokens, node.onward
        if onward and here < len(tokens) and tokens[here].sentence == tokens[first].sentence:
            choices = self.read[here]
            # The shorter of the two is walked: a common word belongs to a hundred choices, a deep node goes on with one or two.
            shared = [number for number in onward if number in choices] if len(onward) < len(choices) else choices.keys() & onward.keys()
            for number in shared:
                self.follow(onward[number], (first, here + 1, fixed | 1 << (here - first), guessed + choices[number]))
        if node.gaps:
            self._follow_gaps(node, at)

    def _follow_gaps(self, node: _Node, at: tuple[int, int, int, int]) -> None:
        first, here, fixed, guessed = at
        tokens, read = self.tokens, self.read
        clause = tokens[here - 1].clause
        for longest, deeper in node.gaps.items():
            if deeper.endings or deeper.gaps or (here < len(tokens) and not read[here].keys().isdisjoint(deeper.onward)):
                self.follow(deeper, at)
            for after_gap in range(here + 1, here + longest + 1):
                if after_gap > len(tokens) or tokens[after_gap - 1].clause != clause:
                    break
                # Most gaps lead nowhere: a look at the next token is cheaper than a call that finds it out.
                goes_on = (
                    after_gap < len(tokens) and tokens[after_gap].clause == clause and not read[after_gap].keys().isdisjoint(deeper.onward)
                )
                if goes_on or deeper.endings or deeper.gaps:
                    self.follow(deeper, (first, after_gap, fixed, guessed))
