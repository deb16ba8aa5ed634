"""So many senders at one door, each with a kept connection. Who is free gets a turn; a connection that is cut is made again."""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from bench.answers import Answers
from bench.bench_error import BenchError
from bench.http_connection import HttpConnection

ANSWER_SECONDS = 30.0  # after the clock has stopped; what comes later counts as never

Turn = Callable[[HttpConnection], None]


class Crowd:
    """Open it with `async with`. `turn` is called for each sender that is free; it may `ask` on the connection, or keep it for later."""

    def __init__(self, ports: Sequence[int], senders: int) -> None:
        self.turn: Turn = lambda connection: None
        self.answers = Answers(0.0, 0.0)
        self._ports = [ports[number % len(ports)] for number in range(senders)]
        self._connections: list[HttpConnection] = []
        self._port_of: dict[HttpConnection, int] = {}
        self._reconnecting: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._all_answered = asyncio.Event()
        self._all_closed = asyncio.Event()
        self._is_open = False

    async def __aenter__(self) -> Self:
        self._is_open = True
        for port in self._ports:
            await self._connect(port)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_open = False
        for task in self._reconnecting:
            task.cancel()
        for connection in self._connections:
            connection.close()
        if self._connections:
            await self._all_closed.wait()

    def begin(self, answers: Answers, turn: Turn) -> None:
        """Give everybody a first turn; what comes back goes to `answers`."""
        self.answers, self.turn = answers, turn
        for connection in list(self._connections):
            turn(connection)

    async def finish(self) -> None:
        """Wait for the answers still under way; those that do not come are errors.

        Raises BenchError when the API does not listen any more.
        """
        late_at = time.perf_counter() + ANSWER_SECONDS
        while under_way := [connection for connection in self._connections if connection.since is not None]:
            self._all_answered.clear()
            try:
                await asyncio.wait_for(self._all_answered.wait(), max(late_at - time.perf_counter(), 0.0))
            except TimeoutError:
                self.answers.errors["no answer"] += len(under_way)
                for connection in under_way:
                    connection.since = None  # counted; its closing is not to count again
                    connection.close()
                break
        if self._failure is not None:
            raise self._failure

    async def _connect(self, port: int) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: HttpConnection(self._answered, self._closed), "127.0.0.1", port
            )
        except OSError as error:
            raise BenchError(f"Nobody answers on port {port} ({error}): the API has ended.") from None
        self._connections.append(connection)
        self._port_of[connection] = port

    def _answered(self, connection: HttpConnection, status: int, created: int) -> None:
        since, connection.since = connection.since, None
        if since is None:
            return
        self.answers.take(status, created, since, time.perf_counter())
        self.turn(connection)
        if connection.since is None:
            self._all_answered.set()

    def _closed(self, connection: HttpConnection) -> None:
        port = self._port_of.pop(connection)
        self._connections.remove(connection)
        if not (self._connections or self._is_open):
            self._all_closed.set()
        if connection.since is not None:
            self.answers.errors["connection cut"] += 1
            self._all_answered.set()
        if self._is_open:
            task = asyncio.get_running_loop().create_task(self._connect_again(port))
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnected)

    def _reconnected(self, task: asyncio.Task[None]) -> None:
        self._reconnecting.discard(task)
        failure = None if task.cancelled() else task.exception()
        self._failure = self._failure or failure

    async def _connect_again(self, port: int) -> None:
        await self._connect(port)
        self.turn(self._connections[-1])
