"""One kept HTTP/1.1 connection that does as little as it can: writes prepared bytes, reads status, length and the count of leads."""

import asyncio
from collections.abc import Callable
from typing import cast

from bench.bench_error import BenchError

CREATED = b'"created":'


class HttpConnection(asyncio.Protocol):
    """At most one request is under way. `answered(connection, status, created)` and `closed(connection)` are told.

    `since` is when the request under way was sent, or should have been (seconds of `time.perf_counter`); None when there is none.
    """

    def __init__(self, answered: Callable[["HttpConnection", int, int], None], closed: Callable[["HttpConnection"], None]) -> None:
        self.since: float | None = None
        self._answered = answered
        self._closed = closed
        self._received = b""
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return self._transport is not None

    def ask(self, request: bytes, since: float) -> None:
        """Send a whole request."""
        if self._transport is None:
            raise BenchError("A connection was used before it was open.")
        self.since = since
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the loop; nearly always with one whole answer."""
        received = self._received = self._received + data if self._received else data
        head_ends = received.find(b"\r\n\r\n")
        if head_ends < 0:
            return
        whole = head_ends + 4 + _content_length(received[:head_ends].lower())
        if len(received) < whole:
            return
        self._received = b""
        status = int(received[9:12])
        self._answered(self, status, _created(received) if status == 200 else 0)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the loop."""
        self._transport = None
        self._closed(self)


def _content_length(head: bytes) -> int:
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise BenchError("An answer came without Content-Length: the bench reads no other kind.")
    return int(head[at + 17 :].split(b"\r\n", 1)[0])


def _created(answer: bytes) -> int:
    """How many leads the door says it created: the only number of its answer that we need."""
    at = answer.find(CREATED)
    return int(answer[at + len(CREATED) :].split(b",", 1)[0].rstrip(b"} ")) if at >= 0 else 0
