"""How far many patterns have come at once: worked out when a text first gets there, remembered for the next one.

A state is all the places in the tree of patterns that the same tokens lead to. To go on from it is one look-up for all of them
together, however many rules there are; only who comes that way first has to walk the tree.
"""

import sys
from dataclasses import dataclass, field
from typing import NamedTuple

from lead_signals.intent.patterns.word_signs import CLAUSE_BEGINS, NO_BOUNDARY, SENTENCE_BEGINS, Choices, WordSigns, boundary_before

# The first 2,500 real comments leave 13,000 steps behind, the next one adds three; 35,000 texts made to differ, 44,000. A step with
# its share of states takes 250 bytes, and five microseconds to work out again.
MOST_REMEMBERED = 50_000


class TooManyPlaces(Exception):
    """Some tokens lead to more places at once than a state may hold; the same ones always do."""


class Fit(NamedTuple):
    """A pattern that fits some tokens, counted from the first of them.

    `fixed` has a bit for each token that is a word of the pattern (bit 0 is the first); the others fell into a gap.
    `words` counts those bits. `guessed` counts words the person typed without the diacritics that the pattern has.
    """

    owner: int
    length: int
    fixed: int
    words: int
    guessed: int


@dataclass(slots=True, eq=False)
class Node:
    """A place in the tree of patterns.

    `onward` leads on by the number of a choice, `gaps` by the length of a gap; `heard` are the bits of those choices.
    `endings` are the owners of patterns that end here, and whether they do so only where the text says no more.
    """

    onward: "dict[int, Node]" = field(default_factory=dict)
    gaps: "dict[int, Node]" = field(default_factory=dict)
    heard: int = 0
    endings: list[tuple[int, bool]] = field(default_factory=list)


_Place = tuple[Node, int, bool, int, int]
"""A node that was reached; how many more tokens may fall into the gap before it, whether one did; fixed, guessed as in `Fit`."""


class State(dict[int, "State | None"]):
    """Number of the next token's sign -> the state it leads to, or None where every pattern breaks off.

    `heard` are the bits of the choices that lead on. A token that belongs to none of them is looked up as the unknown word it
    is here, by what stands before it: of twenty steps in a comment fourteen are such.
    `fits` are the patterns that end here, `fits_at_end` those that do so only where the text says no more. `cost` counts those and
    the places: what it takes to get here, when nothing of the way is remembered.
    """

    __slots__ = ("_states", "cost", "depth", "fits", "fits_at_end", "goes_on", "heard", "places")

    def __init__(self, states: "States", depth: int, places: tuple[_Place, ...]) -> None:
        super().__init__()
        self._states = states
        self.depth = depth
        self.places = places
        self.heard = 0
        self.goes_on = False
        fits: dict[Fit, bool] = {}
        for node, left, _, fixed, guessed in places:
            self.heard |= node.heard
            self.goes_on = self.goes_on or left > 0 or node.heard != 0
            for owner, at_end in node.endings:
                fit = Fit(owner, depth, fixed, fixed.bit_count(), guessed)
                fits[fit] = at_end and fits.get(fit, True)
        self.fits = tuple(fit for fit, at_end in fits.items() if not at_end)
        self.fits_at_end = tuple(fit for fit, at_end in fits.items() if at_end)
        self.cost = len(places) + len(fits)

    def __missing__(self, sign: int) -> "State | None":
        return self._states.go_on(self, sign)


class States:
    """All states met lately. Threads may share it: the worst they do is to work out the same step twice."""

    def __init__(self, signs: WordSigns, most_places: int = sys.maxsize) -> None:
        """`most_places`: as many a state may hold; one with more is not made."""
        self._signs = signs
        self._most_places = most_places
        self._beginnings: list[State] = []
        self._met: dict[tuple[int, tuple[_Place, ...]], State] = {}
        self._remembered = 0

    def begin(self, *nodes: Node) -> State:
        """The state before the first token of the patterns that begin at one of these nodes."""
        beginning = State(self, 0, tuple((node, 0, False, 0, 0) for node in nodes))
        self._beginnings.append(beginning)
        return beginning

    def go_on(self, state: State, sign: int) -> State | None:
        """Where a token leads from `state` whose sign has this number; remembered there. Raises TooManyPlaces."""
        if self._remembered >= MOST_REMEMBERED:
            self._forget()
        self._remembered += 1
        after = state[sign] = self._after(state, sign)
        return after

    def _forget(self) -> None:
        """Who walks at this moment holds the states they still need."""
        self._remembered = 0
        self._met = {}
        for beginning in self._beginnings:
            beginning.clear()

    def _after(self, state: State, sign: int) -> State | None:
        before = boundary_before(sign) if state.depth else NO_BOUNDARY
        if before == SENTENCE_BEGINS:
            return None
        depth = state.depth + 1
        places = tuple(_places_after(state, *self._signs.choices(sign), behind_comma=before == CLAUSE_BEGINS, most=self._most_places))
        if not places:
            return None
        known = self._met.get((depth, places))
        return known if known is not None else self._met.setdefault((depth, places), State(self, depth, places))


def _places_after(state: State, choices: Choices, bits: int, *, behind_comma: bool, most: int) -> dict[_Place, None]:
    places: dict[_Place, None] = {}
    for node, left, skipped, fixed, guessed in state.places:
        if behind_comma and skipped:
            continue  # no gap holds a comma
        for child, guess in _children(node, choices) if node.heard & bits else ():
            _reach((child, 0, False, fixed | 1 << state.depth, guessed + guess), places)
        if left and not behind_comma:
            _reach((node, left - 1, True, fixed, guessed), places)
        if len(places) > most:
            raise TooManyPlaces
    return places


def _children(node: Node, choices: Choices) -> list[tuple[Node, int]]:
    """The shorter of the two is walked: a common word belongs to dozens of choices, a deep node goes on with one or two."""
    onward = node.onward
    if len(onward) < len(choices):
        return [(child, choices[number]) for number, child in onward.items() if number in choices]
    return [(onward[number], guess) for number, guess in choices.items() if number in onward]


def _reach(place: _Place, places: dict[_Place, None]) -> None:
    """This place, and what lies behind gaps that stay empty."""
    places[place] = None
    node, _, skipped, fixed, guessed = place
    for longest, deeper in node.gaps.items():
        _reach((deeper, longest, skipped, fixed, guessed), places)
