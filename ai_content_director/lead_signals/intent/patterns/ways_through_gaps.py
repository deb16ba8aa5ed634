"""How many ways lead through the gaps of wordings: what a wording, and all of a tenant's together, may cost at each place of a text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import prod

from lead_signals.intent.patterns.pattern import AnyOf, Gap, Wording, bare_key

# Of the packaged wordings 99 in 100 stay below half of either.
MOST_PATHS_OF_A_PATTERN = 1_000
MOST_WAYS_THROUGH_GAPS = 40
# All packaged wordings together, three thousand, come to 1,014: a tenant's are a few hundred beside them.
MOST_WAYS_TOGETHER = 600


def why_running_away(paths: Sequence[Wording]) -> Iterator[str]:
    """What is too much about one wording, in a sentence each; nothing when it is sound."""
    if len(paths) > MOST_PATHS_OF_A_PATTERN:
        yield f"spells out to {len(paths)} paths, more than {MOST_PATHS_OF_A_PATTERN}; split it, or drop optional parts"
    ways = max(map(_ways, paths), default=1)
    if ways > MOST_WAYS_THROUGH_GAPS:
        yield f"its gaps can be passed in {ways} ways at each place of a text, more than {MOST_WAYS_THROUGH_GAPS}; shorten one"


class GapBudget:
    """The ways through the gaps of many wordings, added up by the word they begin with and by the word they end with.

    Wordings that share both are passed at the same places of a text, and what they cost there adds up.
    """

    def __init__(self) -> None:
        self._by_first: Counter[str] = Counter()
        self._by_last: Counter[str] = Counter()
        self._is_told = False

    def add(self, paths: Iterable[Wording]) -> str | None:
        """Count one more wording; why it is too much, in a sentence, for the first that is."""
        together = max((self._with(path) for path in paths), default=0)
        if together <= MOST_WAYS_TOGETHER or self._is_told:
            return None
        self._is_told = True
        return (
            f"with this wording the gaps of those that begin and end alike can be passed in {together} ways at each place of a text,"
            f" more than {MOST_WAYS_TOGETHER}; shorten gaps, or write words in their place"
        )

    def _with(self, path: Wording) -> int:
        ways = _ways(path)
        if ways == 1:
            return 0
        words = [step for step in path.steps if isinstance(step, AnyOf)]
        first, last = ({bare_key(key) for key in step.choices} for step in (words[0], words[-1]))
        self._by_first.update(dict.fromkeys(first, ways))
        self._by_last.update(dict.fromkeys(last, ways))
        return min(max(self._by_first[key] for key in first), max(self._by_last[key] for key in last))


def _ways(path: Wording) -> int:
    return prod(step.longest + 1 for step in path.steps if isinstance(step, Gap))
