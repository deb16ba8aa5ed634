"""Room for large bodies: a few at once in one process, and one sender's never before everybody else's.

Most deliveries are a kilobyte. A body above 64 KiB is a batch, or an attack: held, read and judged it takes many times its size in memory
and seconds of a processor. So only a few are in the house at a time; the next waits outside, its bytes unread, and is sent away with
503 when that takes too long. Of one sender one is judged at a time, so that the second thread stays free for others.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lead_signals.request_body import RefusedRequest

LARGE_BODIES_AT_ONCE = 8  # a MiB of empty objects takes 24 MiB once it is parsed: 200 MiB at the worst
PATIENCE_SECONDS = 3.0  # platforms wait five for their answer


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class LargeBodies:
    """The room of one process."""

    def __init__(self, at_once: int = LARGE_BODIES_AT_ONCE, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._patience_seconds = patience_seconds
        self._most_of_one = max(1, at_once // 2)
        self._taken: Counter[object] = Counter()
        self._turns: dict[object, _Turn] = {}

    @asynccontextmanager
    async def visit(self, sender: object = None) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Yields what to call once a body turns out to be large; the room it takes is given back when the block ends.

        The call raises RefusedRequest (503) when no room became free in time, or when a known `sender` has half of it already.
        """
        taken = False

        async def take_room() -> None:
            nonlocal taken
            if taken:
                return
            if sender is not None and self._taken[sender] >= self._most_of_one:
                raise _no_room()
            try:
                async with asyncio.timeout(self._patience_seconds):
                    await self._slots.acquire()
            except TimeoutError:
                raise _no_room() from None
            taken = True
            self._taken[sender] += 1

        try:
            yield take_room
        finally:
            if taken:
                self._slots.release()
                self._taken[sender] -= 1
                self._taken += Counter()  # forgets who has none left

    @asynccontextmanager
    async def turn_of(self, sender: object) -> AsyncIterator[None]:
        """The block runs when no other large body of this sender is being judged."""
        turn = self._turns.setdefault(sender, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wanted -= 1
            if turn.wanted == 0:
                del self._turns[sender]


def _no_room() -> RefusedRequest:
    return RefusedRequest(503, "line_full", "Too many large deliveries at once; send this one again later.")
