"""Send deliveries for a while: as fast as answers come, or at a fixed rate whatever comes back."""

import asyncio
import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import uvloop

from bench.answers import Answers
from bench.bench_error import BenchError
from bench.crowd import Crowd
from bench.http_connection import HttpConnection

SPARE = 1.3  # requests made before the clock starts, above what the warm-up makes us expect

NextRequest = Callable[[], bytes]


def send_as_fast_as_answered(
    ports: Sequence[int],
    senders: int,
    next_request: NextRequest,
    *,
    warm_up_seconds: float,
    seconds: float,
    meter: AbstractContextManager[object],
) -> tuple[Answers, Answers]:
    """Each sender sends its next delivery when the last one is answered. Returns (warm-up, measurement); `meter` runs with the latter."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_closed_loop(ports, senders, next_request, warm_up_seconds=warm_up_seconds, seconds=seconds, meter=meter))


async def _closed_loop(
    ports: Sequence[int],
    senders: int,
    next_request: NextRequest,
    *,
    warm_up_seconds: float,
    seconds: float,
    meter: AbstractContextManager[object],
) -> tuple[Answers, Answers]:
    async with Crowd(ports, senders) as crowd:
        warm_up = await _ask_until(crowd, warm_up_seconds, next_request)
        ready = deque(next_request() for _ in range(int(warm_up.requests_per_second * seconds * SPARE) + senders))
        with meter:
            measured = await _ask_until(crowd, seconds, lambda: ready.popleft() if ready else next_request())
    return warm_up, measured


async def _ask_until(crowd: Crowd, seconds: float, next_request: NextRequest) -> Answers:
    now = time.perf_counter()
    answers = Answers(now, now + seconds)

    def turn(connection: HttpConnection) -> None:
        sent = time.perf_counter()
        if sent < answers.ends:
            connection.ask(next_request(), sent)

    crowd.begin(answers, turn)
    await asyncio.sleep(seconds)
    await crowd.finish()
    return answers


def send_at_rate(
    ports: Sequence[int],
    senders: int,
    rate: float,
    next_request: NextRequest,
    *,
    seconds: float,
    meter: AbstractContextManager[object],
) -> Answers:
    """`rate` deliveries a second, by whichever sender is free; a duration counts from when the delivery was due, not from when it left.

    On a loop that waits by select(), whose time has microseconds: epoll's rounds up to a millisecond, and every duration would hold that.
    """
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(_open_loop(ports, senders, rate, next_request, seconds=seconds, meter=meter))


async def _open_loop(
    ports: Sequence[int],
    senders: int,
    rate: float,
    next_request: NextRequest,
    *,
    seconds: float,
    meter: AbstractContextManager[object],
) -> Answers:
    due_total = int(rate * seconds)
    if due_total < 1:
        raise BenchError(f"At {rate:.1f} deliveries a second none is due within {seconds:g} s: measure longer.")
    ready = deque(next_request() for _ in range(due_total))
    free: deque[HttpConnection] = deque()
    late: deque[float] = deque()  # due, and nobody was free

    def turn(connection: HttpConnection) -> None:
        if late:
            connection.ask(ready.popleft(), late.popleft())
        else:
            free.append(connection)

    async with Crowd(ports, senders) as crowd:
        with meter:
            begins = time.perf_counter()
            crowd.begin(Answers(begins, float("inf")), turn)
            for number in range(due_total):
                due = begins + number / rate
                if (pause := due - time.perf_counter()) > 0:
                    await asyncio.sleep(pause)
                while free and not free[0].is_open:
                    free.popleft()
                if free:
                    free.popleft().ask(ready.popleft(), due)
                else:
                    late.append(due)
            await crowd.finish()
        crowd.answers.ends = max(time.perf_counter(), begins + seconds)  # answers to the last ones count too
    return crowd.answers
