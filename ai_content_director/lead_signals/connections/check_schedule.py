"""When to look at a channel again."""

import random
from datetime import timedelta

CHECK_EVERY = timedelta(hours=6)
JITTER = 0.1  # channels connected in one sitting must not ask Graph in one second for ever
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)
LONGEST_ASKED_WAIT = timedelta(hours=24)


def next_check_in() -> timedelta:
    """After a check that got its answer: six hours, a tenth more or less."""
    return CHECK_EVERY * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, keeps no secret


def retry_check_in(failures: int, asked_seconds: float | None = None) -> timedelta:
    """After this many checks in a row (1 or more) without an answer: a minute, doubling to an hour, with jitter, and never before Graph
    said it would answer."""
    delay: timedelta = min(FIRST_RETRY * 2 ** min(failures - 1, 16), LAST_RETRY) * random.uniform(0.5, 1)  # noqa: S311
    return max(delay, min(timedelta(seconds=asked_seconds or 0), LONGEST_ASKED_WAIT))
