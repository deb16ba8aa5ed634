"""A bounded answer: what a connection reads before its answer has begun, and after it has ended.

The client reads interim answers (1xx) for as long as they come, in one go and without a word to anybody: a receiver that sends them
without an end would keep a whole core busy for the length of the attempt. What nobody asked for, behind a whole answer, is not read either:
the next call on this connection would take it for its own.
"""

from http import HTTPStatus
from typing import Any, Final

from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader

HEAD_READ_LIMIT_BYTES: Final = 256 * 1024
"""Until the status line and headers of the answer itself are there, interim answers included."""
PIECE_BYTES: Final = 16 * 1024


class BoundedAnswer(ResponseHandler):
    """The protocol of one connection. Past the limit the connection is closed, and the attempt ends as with any other nonsense."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._read_of_head = 0
        self._has_begun = False

    def set_response_params(self, **options: Any) -> None:
        """A request is about to go out: its answer has all of the limit."""
        self._read_of_head = 0
        self._has_begun = False
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """In pieces until the answer has begun, so that what comes at once is not understood at once."""
        while not self._has_begun and len(data) > PIECE_BYTES and self._is_within(PIECE_BYTES):
            super().data_received(data[:PIECE_BYTES])
            data = data[PIECE_BYTES:]
        if self._has_begun or self._is_within(len(data)):
            super().data_received(data)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """One head, understood."""
        if self._has_begun:
            self._end()
            return
        code = data[0].code
        self._has_begun = code >= 200 or code == HTTPStatus.SWITCHING_PROTOCOLS
        super().feed_data(data, size)

    def _is_within(self, more: int) -> bool:
        if self.transport is None or self.transport.is_closing():
            return False
        self._read_of_head += more
        if self._read_of_head <= HEAD_READ_LIMIT_BYTES:
            return True
        self._end()
        self._buffer.clear()  # nobody needs to walk through thousands of interim answers to come to the end
        self.set_exception(HttpProcessingError(message="no answer within the limit of its head"))
        return False

    def _end(self) -> None:
        self.force_close()
        if self.transport is not None:
            self.transport.close()
