"""A client that is replaced every minute, so that a receiver which moved to another address is found there."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import ClientSession

LIVES_SECONDS: Final = 60.0


class ShortLivedSession:
    """Hands out one session at a time. Under load a kept connection is never idle, so only its session's end makes it resolve again."""

    def __init__(self, make: Callable[[], ClientSession], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._monotonic = monotonic
        self._current: _Generation | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def borrow(self) -> Iterator[ClientSession]:
        """A session to send one request with; it stays open for that long."""
        generation = self._current
        if generation is None or self._monotonic() >= generation.ends_at:
            generation = self._replace()
        generation.borrowers += 1
        try:
            yield generation.session
        finally:
            generation.borrowers -= 1
            if generation is not self._current and generation.borrowers == 0:
                self._end(generation)

    async def close(self) -> None:
        """Close what is open. Nobody may borrow any more."""
        if self._current is not None:
            self._end(self._current)
            self._current = None
        await asyncio.gather(*self._closing)

    def _replace(self) -> "_Generation":
        before, self._current = self._current, _Generation(self._make(), self._monotonic() + LIVES_SECONDS)
        if before is not None and before.borrowers == 0:
            self._end(before)
        return self._current

    def _end(self, generation: "_Generation") -> None:
        task = asyncio.create_task(generation.session.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _Generation:
    __slots__ = ("borrowers", "ends_at", "session")

    def __init__(self, session: ClientSession, ends_at: float) -> None:
        self.session = session
        self.ends_at = ends_at
        self.borrowers = 0
