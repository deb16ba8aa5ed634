"""Whether a path of one wording fits whatever another one fits: step by step, so that yes is right and no may be too strict.

A word or kind must stand among those of the wider path, a gap must be no longer than that of the wider one, and a gap of the wider
one may be empty. A word that would fall into a gap is not counted, nor is a word that is of a kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lead_signals.intent.patterns.pattern import AnyOf, Gap, Step, Wording

Whose = TypeVar("Whose")


def always_holds(path: Wording, inner: Wording) -> bool:
    """True when wherever `path` fits, `inner` fits some of its words."""
    for start in range(len(path.steps)):
        if inner.from_start and not (path.from_start and start == 0):
            continue
        reached = _reached(inner.steps, path.steps, start)
        if reached and (not inner.to_end or (path.to_end and len(path.steps) in reached)):
            return True
    return False


def _reached(wide: tuple[Step, ...], narrow: tuple[Step, ...], start: int) -> set[int]:
    """How far in `narrow`, from `start` on, all of `wide` may come."""
    places = {start}
    for step in wide:
        onward: set[int] = set()
        for at in places:
            here = narrow[at] if at < len(narrow) else None
            if isinstance(step, Gap):
                onward.add(at)
                if isinstance(here, Gap) and here.longest <= step.longest:
                    onward.add(at + 1)
            elif isinstance(here, AnyOf) and here.choices <= step.choices:
                onward.add(at + 1)
        places = onward
    return places


@dataclass(slots=True)
class _Node(Generic[Whose]):
    onward: "dict[Step, _Node[Whose]]" = field(default_factory=dict)
    by_word: "dict[str, list[tuple[frozenset[str], _Node[Whose]]]]" = field(default_factory=dict)
    endings: list[tuple[Wording, Whose]] = field(default_factory=list)


class CoveringPaths(Generic[Whose]):
    """Paths with their owners, asked which of them cover a given one: fit every text it fits, from the same word to the same word."""

    def __init__(self) -> None:
        self._root: _Node[Whose] = _Node()

    def add(self, path: Wording, whose: Whose) -> None:
        """One more path."""
        node = self._root
        for step in path.steps:
            child = node.onward.get(step)
            if child is None:
                child = node.onward[step] = _Node()
                choices = step.choices if isinstance(step, AnyOf) else frozenset[str]()
                for word in choices:
                    node.by_word.setdefault(word, []).append((choices, child))
            node = child
        node.endings.append((path, whose))

    def of(self, path: Wording) -> Iterator[Whose]:
        """Whose paths cover this one, also its own owner; an owner with several comes several times."""
        for wide, whose in self._endings(self._root, path.steps, 0):
            if not (wide.from_start and not path.from_start) and not (wide.to_end and not path.to_end):
                yield whose

    def _endings(self, node: _Node[Whose], narrow: tuple[Step, ...], at: int) -> Iterator[tuple[Wording, Whose]]:
        if at == len(narrow):
            yield from node.endings
        here = narrow[at] if at < len(narrow) else None
        if isinstance(here, AnyOf):
            for choices, child in node.by_word.get(min(here.choices), ()):
                if here.choices <= choices:
                    yield from self._endings(child, narrow, at + 1)
        for step, child in node.onward.items():
            if isinstance(step, Gap):
                yield from self._endings(child, narrow, at)
                if isinstance(here, Gap) and here.longest <= step.longest:
                    yield from self._endings(child, narrow, at + 1)
