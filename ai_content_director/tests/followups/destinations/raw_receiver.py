"""A receiver that says bytes as a test writes them, on the test's own event loop; with TLS or without, on any loopback address."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[["Talk"], Awaitable[None]]


@dataclass(slots=True)
class RawReceiver:
    """What came in so far. `connections` counts also those that never said anything."""

    port: int = 0
    connections: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Talk:
    """One request and the connection to answer it on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def wait(self, seconds: float) -> None:
        """Be slow. Raises ConnectionError when the other side hangs up meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.reader.read(1)
                raise ConnectionError

    async def wait_for_the_end(self) -> None:
        """Until the other side hangs up."""
        await self.reader.read()


def says(raw: bytes) -> Answer:
    async def answer(talk: Talk) -> None:
        await talk.say(raw)

    return answer


def status(code: int, body: bytes = b"", *headers: str) -> Answer:
    """A whole answer with this status."""
    lines = [f"HTTP/1.1 {code} Because", f"content-length: {len(body)}", *headers]
    return says("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


OK = status(200, b'{"ok":true}')


@asynccontextmanager
async def raw_receiver(
    answer: Answer = OK, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawReceiver]:
    """Listening from the beginning of the block to its end. Answers each request of a connection in the same way."""
    receiver = RawReceiver()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        # Cancelled is how the loop ends what still trickles when the test is over.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            while True:
                receiver.requests.append(await _read_request(reader))
                await answer(Talk(reader, writer))
                if writer.is_closing():
                    break
        writer.transport.abort()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return head[0], headers, await reader.readexactly(int(headers.get("content-length", "0")))
