"""What came back during one measurement: how long each answer took, what it said, and what never came."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Answers:
    """Filled while the clock runs, from `starts` to `ends` (seconds of `time.perf_counter`).

    Only answers inside the clock count for rates. Durations are of every delivery: leaving out those that the end of the clock cut
    would leave out the slow ones.
    """

    starts: float
    ends: float
    created: int = 0
    created_in_time: int = 0
    answered_in_time: int = 0
    durations: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def take(self, status: int, created: int, since: float, now: float) -> None:
        """One answer to what should have been sent at `since`."""
        if status != 200:
            self.errors[f"HTTP {status}"] += 1
            return
        self.created += created
        self.durations.append(now - since)
        if self.starts <= now <= self.ends:
            self.created_in_time += created
            self.answered_in_time += 1

    @property
    def seconds(self) -> float:
        """How long the clock ran."""
        return self.ends - self.starts

    @property
    def requests_per_second(self) -> float:
        """Answered with 200."""
        return self.answered_in_time / self.seconds

    @property
    def leads_per_second(self) -> float:
        """Acknowledged."""
        return self.created_in_time / self.seconds


def percentile(durations: Sequence[float], percent: float) -> float | None:
    """The duration that `percent` of them do not exceed (nearest rank); None of nothing. `durations` are sorted."""
    return durations[max(math.ceil(len(durations) * percent / 100) - 1, 0)] if durations else None
