"""The sink of follow-ups, started for a bench and asked what has arrived."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bench_error import BenchError
from bench.free_port import free_port
from lead_signals.end_with_parent import end_with_parent

SERVICE = Path(__file__).resolve().parents[1]
START_SECONDS = 30.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Arrival:
    """One POST at the sink. `at` in seconds of `time.perf_counter`, which all processes of a machine share on Linux and macOS."""

    webhook_id: str
    comment_id: str
    at: float


class Sink:
    """Where follow-ups go. `pid` is its process."""

    def __init__(self, port: int, pid: int) -> None:
        self.pid = pid
        self.url = f"http://127.0.0.1:{port}/webhook/lead"
        self._port = port

    def count(self) -> int:
        """How many POSTs have come. Raises OSError when nobody listens."""
        return int(self._get("/count"))

    def arrivals(self) -> Sequence[Arrival]:
        """All of them, in order."""
        return [
            Arrival(webhook_id, comment_id, float(at))
            for webhook_id, comment_id, at in (line.split(" ") for line in self._get("/arrivals").splitlines())
        ]

    def _get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read().decode()


@contextmanager
def sink_process(answer_ms: float) -> Iterator[Sink]:
    """A sink that listens and answers after so many milliseconds; it is gone after the block. Raises BenchError when it does not start."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.follow_up_sink", str(port), str(answer_ms)],
        cwd=SERVICE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C in the terminal reaches us alone; we end it in order
        preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one call of an already loaded C function
    )
    try:
        sink = Sink(port, process.pid)
        _wait_for(sink, process)
        yield sink
    finally:
        process.terminate()
        process.wait()


def _wait_for(sink: Sink, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            sink.count()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"The sink did not start (exit status {process.poll()}).") from None
            time.sleep(POLL_SECONDS)
        else:
            return
