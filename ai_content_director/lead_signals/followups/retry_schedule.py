"""When to try again. A plain list: the first delay follows the first failure; past the end the follow-up is dead."""

from collections.abc import Sequence
from datetime import timedelta

AT_ONCE = timedelta(0)

RETRY_DELAYS: Sequence[timedelta] = (AT_ONCE,)  # "retry 1": at once after a failure

# A row that was claimed this often in a row without an attempt being written down kills its worker each time: it is dead, not due.
CRASH_LIMIT = 5


def delay_after(failures: int) -> timedelta | None:
    """How long to wait after this many failed attempts (1 or more), or None when there is nothing more to try."""
    return RETRY_DELAYS[failures - 1] if failures <= len(RETRY_DELAYS) else None
