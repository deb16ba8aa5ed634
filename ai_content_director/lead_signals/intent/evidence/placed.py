"""Things that lie on some tokens of a text, asked for by place: a question about one place looks at its neighbourhood only.

Comparing every match with every other one is quadratic, and a person may write one word a thousand times.
"""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

FEW = 8  # below this, looking at all of them is cheaper than a table of places


class Placed(Generic[Thing]):
    """Things with the tokens `first` up to, but not including, `after` that each lies on."""

    def __init__(self, things: Sequence[tuple[int, int, Thing]]) -> None:
        self._all = [thing for _, _, thing in things]
        self._on_token: dict[int, list[Thing]] | None = None
        if len(things) > FEW:
            self._on_token = {}
            for first, after, thing in things:
                for token in range(first, after):
                    self._on_token.setdefault(token, []).append(thing)

    def near(self, first: int, after: int) -> Iterable[Thing]:
        """At least all things that lie on one of these tokens; some may come twice, and of a few things all come."""
        if self._on_token is None:
            return self._all
        return (thing for token in range(first, after) for thing in self._on_token.get(token, ()))
