"""One line when a step begins, one when it is done, with the time it took: a long proof is never silent."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Counts the steps that were proven, and says each one as it goes."""

    def __init__(self) -> None:
        self.proven = 0
        self._started = time.monotonic()

    def say(self, line: str) -> None:
        """One line, with the seconds since the start."""
        sys.stdout.write(f"[{time.monotonic() - self._started:6.1f} s] {line}\n")
        sys.stdout.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step is proven when its block ends without an error."""
        self.say(f"{name} …")
        started = time.monotonic()
        try:
            yield
        except BaseException as error:
            self.say(f"{name}: FAILED ({error.__class__.__name__})")
            raise
        self.proven += 1
        self.say(f"{name}: ok, {time.monotonic() - started:.1f} s")
