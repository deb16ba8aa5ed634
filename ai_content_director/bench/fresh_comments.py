"""Urgent comments through the real door at a fixed rate, each remembered by the moment at which it was due."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext

from bench.comment_requests import CommentRequests
from bench.send_comments import send_at_rate
from bench.sentences import OPENINGS, SENTENCES
from lead_signals.intent.classify import classify
from lead_signals.intent.verdict import Priority

SENDERS = 4
ROUND_SECONDS = 1.0
_ID = b'"comment_id":"'


class FreshComments:
    """Comments of one Page that are all owed a follow-up. `due_at` has each by its id, in seconds of `time.perf_counter`."""

    def __init__(self, port: int, page_id: str, app_secret: bytes, rate: float) -> None:
        self.due_at: dict[str, float] = {}
        self.refused = 0
        self._port = port
        self._rate = rate
        self._requests = CommentRequests(page_id, app_secret, f"127.0.0.1:{port}", urgent_sentences())

    def send_until(self, is_over: Callable[[], bool]) -> Mapping[str, float]:
        """Send, in rounds of a second or two, until it is over; at least one round. Returns those of this call with their moments."""
        began_with = len(self.due_at)
        while True:
            self._send_for(max(ROUND_SECONDS, 2 / self._rate))
            if is_over():
                return dict(list(self.due_at.items())[began_with:])

    def send_one(self) -> None:
        """One comment, answered when this returns."""
        self._send_for(1 / self._rate)

    def _send_for(self, seconds: float) -> None:
        ids: list[str] = []

        def next_request() -> bytes:
            request = self._requests.of(1)
            ids.append(request.partition(_ID)[2].partition(b'"')[0].decode())
            return request

        answers = send_at_rate([self._port], SENDERS, self._rate, next_request, seconds=seconds, meter=nullcontext())
        self.refused += answers.errors.total()
        self.due_at |= {comment_id: answers.starts + number / self._rate for number, comment_id in enumerate(ids)}


def urgent_sentences() -> Sequence[str]:
    """Those that are urgent whatever stands before them."""
    return [text for text in SENTENCES if all(classify(opening + text).priority is Priority.HIGH for opening in OPENINGS)]
