"""All patterns of a rule pack as one tree, walked over the tokens of a text."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lead_signals.intent.folding.text_folding import Token
from lead_signals.intent.patterns.pattern import AnyOf, Wording, bare_key
from lead_signals.intent.patterns.pattern_states import Fit, Node, States
from lead_signals.intent.patterns.word_signs import WordSigns, choice_bits


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

    def __init__(self, patterns: Iterable[tuple[int, Wording]]) -> None:
        """`patterns` are (owner, path); owners come back in `Fit`."""
        tree = _GrowingTree()
        for owner, path in patterns:
            tree.add(owner, path)
        self._signs = WordSigns(tree.lexicon)
        states = States(self._signs)
        self._before_opening = states.begin(tree.anywhere, tree.at_start)
        self._anywhere = states.begin(tree.anywhere)

    def walk(self, tokens: Sequence[Token], opening: int, closing: int) -> list[Found]:
        """Everything that fits, each thing once, by first token and length.

        `opening` is the first token that says something, `closing` the one after the last.
        """
        found: list[Found] = []
        signs = self._signs.read(tokens)
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
