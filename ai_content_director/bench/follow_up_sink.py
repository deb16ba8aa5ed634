"""The receiver of the follow-ups bench, a process of its own that costs little: `python -m bench.follow_up_sink PORT MILLISECONDS`.

It answers each POST with 200 after so many milliseconds, and remembers its webhook-id, the comment it is about, and when it came. A GET is
answered with all of that, one arrival a line; a GET of /count with their number alone.
"""

import asyncio
import sys
import time
from typing import cast

import uvloop

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"ok":true}'
ID, LENGTH, COMMENT = b"\r\nwebhook-id: ", b"\r\ncontent-length: ", b'"external_message_id":"'


class SinkConnection(asyncio.Protocol):
    """One kept connection of a sender; `arrivals` is shared by all of them."""

    def __init__(self, arrivals: list[bytes], answer_seconds: float) -> None:
        self._arrivals = arrivals
        self._answer_seconds = answer_seconds
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the loop."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._received += data
        while (head_ends := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:head_ends].lower()
            ends = head_ends + 4 + int(_after(head, LENGTH, b"\r") or 0)
            if len(self._received) < ends:
                return
            body, self._received = self._received[head_ends + 4 : ends], self._received[ends:]
            if head.startswith(b"get "):
                self._report(head)
            else:
                self._take(head, body)

    def _take(self, head: bytes, body: bytes) -> None:
        self._arrivals.append(b"%b %b %.6f" % (_after(head, ID, b"\r"), _after(body, COMMENT, b'"') or b"-", time.perf_counter()))
        if self._answer_seconds > 0:
            self._loop.call_later(self._answer_seconds, self._write, ANSWER)
        else:
            self._write(ANSWER)

    def _report(self, head: bytes) -> None:
        report = b"%d" % len(self._arrivals) if head.startswith(b"get /count ") else b"\n".join(self._arrivals)
        self._write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(report), report))

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _after(text: bytes, mark: bytes, end: bytes) -> bytes:
    """What stands between a mark and the next end; nothing when the mark is not there."""
    _, found, rest = text.partition(mark)
    return rest.partition(end)[0] if found else b""


async def receive(port: int, answer_seconds: float) -> None:
    """Listen on this port of loopback until the process is ended."""
    arrivals: list[bytes] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: SinkConnection(arrivals, answer_seconds), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(receive(int(sys.argv[1]), float(sys.argv[2]) / 1000))
