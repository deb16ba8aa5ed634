"""The wire to the model's server: what goes out is what we wrote and nothing else, and what comes in is UTF-8, cut off at 64 KiB."""

from collections.abc import AsyncIterator
from typing import Final

import httpx2

ANSWER_READ_LIMIT_BYTES: Final = 64 * 1024

# The client library would tell the server our operating system, its versions, and whatever further OPENAI_… variables hold.
_HEADERS_SENT: Final = frozenset({"host", "authorization", "content-type", "content-length", "accept", "connection"})


class AnswerTooLong(Exception):
    """The answer is longer than any that we could want; nothing of it is kept but its status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Another transport, with clean requests and short answers."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask once. The stream that comes back raises AnswerTooLong where it is cut off."""
        answer = await self._inner.handle_async_request(_clean(request))
        # Sent compressed all the same, it stays so and is refused as no JSON: 64 KiB of it could hold a gigabyte.
        headers = [(name, _kept(name, value)) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
        assert isinstance(answer.stream, httpx2.AsyncByteStream)  # noqa: S101 - the inner transport is an asynchronous one
        return httpx2.Response(
            answer.status_code, headers=headers, stream=_CutOff(answer.stream, answer.status_code), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _clean(request: httpx2.Request) -> httpx2.Request:
    """Another request: by the headers of the first one the client library knows what it wanted to do with the answer."""
    kept = [(name, value) for name, value in request.headers.raw if name.decode("ascii").lower() in _HEADERS_SENT]
    headers = [*kept, (b"user-agent", b"lead-signals"), (b"accept-encoding", b"identity")]
    return httpx2.Request(request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions)


def _kept(name: bytes, value: bytes) -> bytes:
    """The kind of content without its charset: that names any codec of Python's, and some of those give no text."""
    return value.partition(b";")[0] if name.lower() == b"content-type" else value


class _CutOff(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, status: int) -> None:
        self._stream, self._status = stream, status

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._stream:
            read += len(chunk)
            if read > ANSWER_READ_LIMIT_BYTES:
                raise AnswerTooLong(self._status)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
