"""When a look-up that brought nothing is asked again, and when never. The reason is one of a closed set of words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from lead_signals.leads.look_up import WORTH_ASKING, LookUpKind


class NotFoundBecause(StrEnum):
    """Why a look-up brought nothing: Graph's reasons by its own words, and ours. Fit for a metric label."""

    RETRY = "retry"
    BAD_ANSWER = "bad_answer"
    RECONNECT = "reconnect"
    PERMISSION = "permission"
    BLOCKED = "blocked"
    REFUSED = "refused"
    NOT_CONFIGURED = "not_configured"
    NOT_FOUND = "not_found"
    NO_TOKEN = "no_token"  # noqa: S105 - a label: the channel has no token, or one that our keys do not open
    NO_NAME = "no_name"  # Graph answered, and keeps the name to itself
    CRASHED = "crashed"  # it ended its worker again and again


@dataclass(frozen=True, slots=True)
class Miss:
    """One look-up that brought nothing; `retry_after_seconds` when Graph said how long to wait."""

    because: NotFoundBecause
    retry_after_seconds: float | None = None


FIRST_DELAY_SECONDS: Final = 30.0
LONGEST_DELAY_SECONDS: Final = 6 * 3600.0
MOST_TRIES_FOR_A_NAME: Final = 20
# A form that was just sent in is not everywhere at once, and Graph says "does not exist" too when the app may not see it.
MOST_TRIES_FOR_A_FORM_NOT_FOUND: Final = 5

_MAY_PASS: Final = frozenset({NotFoundBecause.RETRY, NotFoundBecause.BAD_ANSWER})
_NEVER_FOR_A_NAME: Final = frozenset(
    {NotFoundBecause.NOT_FOUND, NotFoundBecause.NO_NAME, NotFoundBecause.PERMISSION, NotFoundBecause.REFUSED, NotFoundBecause.CRASHED}
)


def ask_again_after(kind: LookUpKind, miss: Miss, *, failures: int, age: timedelta, jitter: Callable[[], float]) -> timedelta | None:
    """How long to wait after this miss, the `failures`-th in a row (1 or more) of a look-up this old; None = never ask again.

    What may pass is tried again with full jitter, up to 6 hours, and never before Graph's own Retry-After; what a person must mend
    waits 3 to 6 hours. `jitter` gives 0..1.
    """
    if _is_hopeless(kind, miss.because, failures, age):
        return None
    if miss.because in _MAY_PASS or miss.because is NotFoundBecause.NOT_FOUND:
        longest = min(FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 32), LONGEST_DELAY_SECONDS)
        return timedelta(seconds=(miss.retry_after_seconds or 0.0) + longest * jitter())
    return timedelta(seconds=LONGEST_DELAY_SECONDS * (0.5 + 0.5 * jitter()))


def _is_hopeless(kind: LookUpKind, because: NotFoundBecause, failures: int, age: timedelta) -> bool:
    if kind is LookUpKind.SENDER_NAME:
        return because in _NEVER_FOR_A_NAME or failures >= MOST_TRIES_FOR_A_NAME
    return age > WORTH_ASKING or (because is NotFoundBecause.NOT_FOUND and failures >= MOST_TRIES_FOR_A_FORM_NOT_FOUND)
