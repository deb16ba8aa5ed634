"""When to try again: one retry at once, then twelve more over at least 76 h. Past the end of both the follow-up is dead."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final

# The first floor follows the first failure. A delay is its floor and a random part as long again, so even the luckiest draws last 76 h.
RETRY_FLOORS: Final = (
    timedelta(0),  # "retry 1"
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=14),
    timedelta(hours=16),
    timedelta(hours=20),
)
MOST_ATTEMPTS: Final = 1 + len(RETRY_FLOORS)
LEAST_SPAN: Final = sum(RETRY_FLOORS, timedelta(0))
"""What is hurried (`delivering/hurry_retries.py`) ends the list early: before this age it is tried on, at the last delay."""

LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
LEAST_SPREAD: Final = timedelta(seconds=10)  # "Retry-After: 1", told to a thousand, must not bring a thousand back in one second
SPREAD_SHARE: Final = 10

# A row that was claimed this often in a row without an attempt being written down kills its worker each time: it is dead, not due.
CRASH_LIMIT: Final = 5


def delay_after(
    failures: int, *, age: timedelta, retry_after: timedelta | None = None, uniform: Callable[[float, float], float] = random.uniform
) -> timedelta | None:
    """How long to wait after this many failed attempts (1 or more), or None when there is nothing more to try.

    `age` is how long ago the first try of this schedule began. `retry_after` is what the receiver asked for, however long: up to an hour of
    it is granted, with a little on top that differs for each. It never shortens the schedule. `uniform` draws a number between two.
    """
    if failures < 1:
        raise ValueError(f"a delay follows a failure, and there were {failures}")
    if failures > len(RETRY_FLOORS) and age >= LEAST_SPAN:
        return None
    floor = RETRY_FLOORS[min(failures, len(RETRY_FLOORS)) - 1]
    own = floor + uniform(0, 1) * floor
    return own if retry_after is None else max(own, _granted(retry_after, uniform))


def _granted(asked: timedelta, uniform: Callable[[float, float], float]) -> timedelta:
    granted = min(asked, LONGEST_RETRY_AFTER)
    return granted + uniform(0, 1) * max(granted / SPREAD_SHARE, LEAST_SPREAD)
