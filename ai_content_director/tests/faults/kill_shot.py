"""kill -9 for one worker, at one of the moments of a delivery that matter."""

import random
import threading
from contextlib import suppress
from enum import StrEnum

from tests.product import Process
from tests.receiver import Answer, Exchange, ok

THINKS_AT_MOST_SECONDS = 0.03
ANSWER = (b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n", b'{"ok":true}')


class Moment(StrEnum):
    """When the worker dies. Only the first is not the receiver's to choose."""

    COMMENT_TAKEN = "the door has just said 200"
    REQUEST_ARRIVED = "the receiver has the request"
    HALF_ANSWERED = "half of the answer is out"
    ANSWERED = "the answer is out"


class KillShot:
    """Ends one worker once, whoever asks first, from whatever thread."""

    def __init__(self, worker: Process) -> None:
        self.fired = threading.Event()
        self._worker = worker
        self._lock = threading.Lock()

    def fire(self) -> None:
        """kill -9, and wait until it is dead."""
        with self._lock:
            if not self.fired.is_set():
                self._worker.kill()
                self.fired.set()


def takes_a_moment(chance: random.Random) -> Answer:
    """200, after a random little while."""

    def answer(exchange: Exchange) -> None:
        exchange.closing.wait(chance.uniform(0, THINKS_AT_MOST_SECONDS))
        ok(exchange)

    return answer


def kills(shot: KillShot, moment: Moment, chance: random.Random) -> Answer:
    """200 as far as it gets: on the way the worker dies, a random little while after the moment has come."""

    def answer(exchange: Exchange) -> None:
        with suppress(OSError):  # the one who asked is dead
            _say(exchange, b"", if_moment=Moment.REQUEST_ARRIVED)
            _say(exchange, ANSWER[0], if_moment=Moment.HALF_ANSWERED)
            _say(exchange, ANSWER[1], if_moment=Moment.ANSWERED)
        shot.fire()
        exchange.keep_connection = False

    def _say(exchange: Exchange, words: bytes, *, if_moment: Moment) -> None:
        if words:
            exchange.send(words)
        if moment is if_moment:
            exchange.closing.wait(chance.choice((0.0, chance.uniform(0, THINKS_AT_MOST_SECONDS / 3))))
            shot.fire()

    return answer
