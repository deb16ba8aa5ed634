"""When a question that brought no opinion is asked again, and when never."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from lead_signals.language_model.refusal import MAY_PASS, Refusal, RefusalKind

MOST_TRIES: Final = 4
MOST_INVALID_TRIES: Final = 2
# With three waits of an hour at most that the server asks for, all tries lie within six hours.
_PAUSES: Final = (timedelta(seconds=30), timedelta(minutes=10), timedelta(hours=1))
WORTH_ASKING: Final = timedelta(days=2)
"""After that a person has looked at the lead, or nobody will: what could not even be tried by then is given up."""


def ask_again_after(refusal: Refusal, *, failures: int, jitter: Callable[[], float]) -> timedelta | None:
    """How long to wait after this refusal, the `failures`-th (1 or more) of its question; None = never ask again.

    Half of each pause is fixed, half is drawn by `jitter` (0..1); the server's own Retry-After comes before it.
    """
    if refusal.kind is RefusalKind.INVALID:
        may_be_asked = failures < MOST_INVALID_TRIES
    else:
        may_be_asked = refusal.kind in MAY_PASS and failures < MOST_TRIES
    if not may_be_asked:
        return None
    pause = _PAUSES[min(failures, len(_PAUSES)) - 1]
    return timedelta(seconds=refusal.retry_after_seconds or 0.0) + pause * (0.5 + 0.5 * jitter())
