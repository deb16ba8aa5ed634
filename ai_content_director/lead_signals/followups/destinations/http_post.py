"""One POST in a bounded time and a bounded memory, whatever the other side does."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from lead_signals.followups.destinations.failure_word import TIMEOUT, failure_word
from lead_signals.followups.destinations.short_lived_session import ShortLivedSession
from lead_signals.retry_after import read_retry_after

ANSWER_READ_LIMIT_BYTES: Final = 64 * 1024
ANSWER_KEPT_BYTES: Final = 2 * 1024
LONGEST_RETRY_AFTER_SECONDS: Final = 24 * 3600.0
USER_AGENT: Final = "lead-signals"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said: its status line, the first 2 KB, and how long we shall stay away."""

    http_status: int
    head: bytes
    retry_after: timedelta | None

    @property
    def is_success(self) -> bool:
        return 200 <= self.http_status < 300


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody said anything that could be understood; one word why."""

    error_class: str


async def http_post(
    sessions: ShortLivedSession, url: URL, body: bytes, headers: Mapping[str, str], *, at: datetime, timeout_seconds: float
) -> Answer | NoAnswer:
    """Post once, follow nothing. `timeout_seconds` is for the whole of it: name, connection, TLS, answer. Raises CancelledError only."""
    answer: ClientResponse | None = None
    head = bytearray()
    try:
        with sessions.borrow() as session:
            async with asyncio.timeout(timeout_seconds):  # a limit for each read would never trip over one byte a second
                answer = await _post(session, url, body, headers)
                await _read_head(answer, head)
    except Exception as error:  # not only what the client promises to raise: one strange receiver must not stop a worker
        if answer is None:
            return NoAnswer(TIMEOUT if isinstance(error, TimeoutError) else failure_word(error))
    finally:
        if answer is not None:
            answer.close()
    # The status line is the receiver's word; an answer whose rest never came does not take it back.
    asked = read_retry_after(answer.headers.get("retry-after", ""), at)
    retry_after = None if asked is None else timedelta(seconds=min(asked, LONGEST_RETRY_AFTER_SECONDS))
    return Answer(answer.status, bytes(head), retry_after)


async def _post(session: ClientSession, url: URL, body: bytes, headers: Mapping[str, str]) -> ClientResponse:
    return await session.post(url, data=body, headers=headers, allow_redirects=False)


async def _read_head(answer: ClientResponse, head: bytearray) -> None:
    """Read to the limit and no further. An answer that ends before it leaves its connection for the next call."""
    read = 0
    while read < ANSWER_READ_LIMIT_BYTES:
        chunk = await answer.content.readany()
        if not chunk:
            return
        head += chunk[: max(0, ANSWER_KEPT_BYTES - len(head))]
        read += len(chunk)
