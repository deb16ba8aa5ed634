"""The raw bytes of a request, within limits, before anybody looks inside."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request

BODY_LIMIT_BYTES = 1024 * 1024
LARGE_BODY_BYTES = 64 * 1024  # up to here reading and judging takes milliseconds, and an ordinary delivery has 1 KiB
BODY_DEADLINE_SECONDS = 10.0  # for the whole body: senders that trickle a byte now and then would hold 1 MiB each for ever


class RefusedRequest(Exception):
    """A request refused by one clear sentence and a 4xx status, or 503 when only the operator can help.

    `reason` is a short word for metrics.
    """

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = reason
        self.sentence = sentence


async def read_raw_body(request: Request, before_large: Callable[[], Awaitable[None]] | None = None) -> bytes:
    """The body's bytes as they came over the wire. `before_large` is awaited before more than LARGE_BODY_BYTES of it are taken in.

    Raises RefusedRequest: 415 when compressed (100 MB fit into 97 kB of gzip), 413 above BODY_LIMIT_BYTES, which is counted while
    reading, because Content-Length may lie or be absent; 408 when the whole is not there after BODY_DEADLINE_SECONDS; 400 when the
    sender went away in the middle.
    """
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise RefusedRequest(415, "compressed", "The body is compressed; send it without Content-Encoding.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > BODY_LIMIT_BYTES:
        raise _too_large()
    if before_large is not None and announced.isdecimal() and int(announced[:20]) > LARGE_BODY_BYTES:
        await before_large()
    try:
        async with asyncio.timeout(BODY_DEADLINE_SECONDS):
            return await _whole_body(request, before_large)
    except TimeoutError:
        raise RefusedRequest(
            408, "too_slow", f"The body did not arrive within {BODY_DEADLINE_SECONDS:g} seconds; send it again, faster."
        ) from None
    except ClientDisconnect:
        raise RefusedRequest(400, "incomplete", "The connection closed before the whole body arrived.") from None


async def _whole_body(request: Request, before_large: Callable[[], Awaitable[None]] | None) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if before_large is not None and len(body) > LARGE_BODY_BYTES:
            await before_large()
        if len(body) > BODY_LIMIT_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> RefusedRequest:
    return RefusedRequest(413, "too_large", f"The body is larger than {BODY_LIMIT_BYTES // 1024} KiB; send it in smaller batches.")
