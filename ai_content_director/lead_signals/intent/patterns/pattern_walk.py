"""All patterns of a rule pack as one tree, walked over the tokens of a text."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lead_signals.intent.folding.text_folding import Token
from lead_signals.intent.patterns.pattern import AnyOf, Wording, bare_key
from lead_signals.intent.patterns.pattern_states import Fit, Node, States, TooManyPlaces
from lead_signals.intent.patterns.word_signs import Sign, WordSigns, choice_bits

# The packaged patterns cost six for each token of a comment, and at the most ten and a hundred.
STEPS_PER_TOKEN = 40
STEPS_PER_TEXT = 2_000
# The packaged patterns are at 25 places at once at the most, in 30,000 comments.
MOST_PLACES = 5_000


class RunsAway(Exception):
    """The patterns of a bounded tree cost more on this text than they may."""


class Found(NamedTuple):
    """The first token that a pattern fits, and how it fits from there on."""

    first: int
    fit: Fit

    @property
    def owner(self) -> int:
        """Whose pattern it is."""
        return self.fit.owner

    @property
    def after(self) -> int:
        """The token after the last."""
        return self.first + self.fit.length

    def touches(self, first: int, after: int) -> bool:
        """Whether a word of the pattern lies among these tokens."""
        return bool(self._overlap(first, after))

    def holds(self, first: int, after: int) -> bool:
        """Whether all these tokens are words of the pattern."""
        return self._overlap(first, after).bit_count() == after - first

    def _overlap(self, first: int, after: int) -> int:
        low, high = max(first - self.first, 0), max(after - self.first, 0)
        return self.fit.fixed & ((1 << high) - (1 << low))


class PatternTree:
    """Patterns share their beginnings, so a text is compared with all of them at once.

    A word of a pattern fits a token with the same diacritics, or one typed without any; never one typed with others.
    """

    def __init__(self, patterns: Iterable[tuple[int, Wording]], *, is_bounded: bool = False) -> None:
        """`patterns` are (owner, path); owners come back in `Fit`. `is_bounded` for those of strangers: a walk ends before it runs away."""
        tree = _GrowingTree()
        for owner, path in patterns:
            tree.add(owner, path)
        self._signs = WordSigns(tree.lexicon)
        states = States(self._signs, MOST_PLACES if is_bounded else sys.maxsize)
        self._before_opening = states.begin(tree.anywhere, tree.at_start)
        self._anywhere = states.begin(tree.anywhere)
        self._is_bounded = is_bounded

    def walk(self, tokens: Sequence[Token], opening: int, closing: int) -> list[Found]:
        """Everything that fits, each thing once, by first token and length.

        `opening` is the first token that says something, `closing` the one after the last. Raises RunsAway when the tree is bounded
        and the text costs more than STEPS_PER_TOKEN and STEPS_PER_TEXT allow: whatever is remembered, the same texts do.
        """
        signs = self._signs.read(tokens)
        if self._is_bounded:
            self._refuse_running_away(signs, opening)
        found: list[Found] = []
        beginning, count, new_found = self._before_opening, len(signs), tuple.__new__
        for first in range(count):
            if first > opening:
                beginning = self._anywhere
            number, choices, _ = signs[first]
            if not choices & beginning.heard:
                continue
            state, after = beginning[number], first + 1
            while state is not None:
                for fit in state.fits:
                    found.append(new_found(Found, (first, fit)))
                if state.fits_at_end and after >= closing:
                    found += [Found(first, fit) for fit in state.fits_at_end]
                if after == count or not state.goes_on:
                    break
                number, choices, before = signs[after]
                state = state[number if choices & state.heard else before]
                after += 1
        return found

    def _refuse_running_away(self, signs: Sequence[Sign], opening: int) -> None:
        """The same way through the same states, adding up what they cost. Of its own, so that the packaged patterns pay nothing for it."""
        most, spent = STEPS_PER_TEXT + STEPS_PER_TOKEN * len(signs), 0
        for first in range(len(signs)):
            beginning = self._anywhere if first > opening else self._before_opening
            number, choices, before = signs[first]
            try:
                state, after = beginning[number] if choices & beginning.heard else None, first + 1
                while state is not None:
                    spent += state.cost
                    if spent > most:
                        raise RunsAway
                    if after == len(signs) or not state.goes_on:
                        break
                    number, choices, before = signs[after]
                    state = state[number if choices & state.heard else before]
                    after += 1
            except TooManyPlaces:
                raise RunsAway from None


class _GrowingTree:
    """The tree while patterns are added, and the words it knows: word or #kind -> the choices it belongs to."""

    def __init__(self) -> None:
        self.anywhere = Node()
        self.at_start = Node()
        self.lexicon: dict[str, dict[int, int]] = {}
        self._numbers: dict[frozenset[str], int] = {}

    def add(self, owner: int, path: Wording) -> None:
        node = self.at_start if path.from_start else self.anywhere
        for step in path.steps:
            if isinstance(step, AnyOf):
                number = self._number(step.choices)
                node.heard |= choice_bits([number])
                node = node.onward.setdefault(number, Node())
            else:
                node = node.gaps.setdefault(step.longest, Node())
        if (owner, path.to_end) not in node.endings:
            node.endings.append((owner, path.to_end))

    def _number(self, choices: frozenset[str]) -> int:
        known = self._numbers.get(choices)
        if known is not None:
            return known
        number = len(self._numbers)
        self._numbers[choices] = number
        for key in choices:
            self.lexicon.setdefault(key, {})[number] = 0
        for key in sorted({bare_key(key) for key in choices} - choices):
            self.lexicon.setdefault(key, {})[number] = 1
        return number
