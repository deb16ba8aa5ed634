"""The circuit breaker: a server that fails again and again is left alone for a while, and then tried with one question."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

FAILURES_TO_OPEN: Final = 5
WITHIN_SECONDS: Final = 30.0
OPEN_SECONDS: Final = 60.0


class CircuitBreaker:
    """One for each process and server. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed_at: deque[float] = deque(maxlen=FAILURES_TO_OPEN)
        self._open_until: float | None = None

    def pause_seconds(self) -> float:
        """How long not to ask; 0 = ask now, and tell `note` what came of it.

        After a pause one caller is let through; the others pause on until that one has told, or for as long again.
        """
        if self._open_until is None:
            return 0.0
        left = self._open_until - self._clock()
        if left > 0:
            return left
        self._open_until = self._clock() + OPEN_SECONDS
        return 0.0

    def note(self, *, failed: bool) -> None:
        """What came of a question that was asked. An answer closes the breaker; 5 failures within 30 s open it, and so does a vain try."""
        if not failed:
            self._failed_at.clear()
            self._open_until = None
            return
        at = self._clock()
        self._failed_at.append(at)
        all_lately = len(self._failed_at) == FAILURES_TO_OPEN and at - self._failed_at[0] <= WITHIN_SECONDS
        if all_lately or self._open_until is not None:
            self._open_until = at + OPEN_SECONDS
