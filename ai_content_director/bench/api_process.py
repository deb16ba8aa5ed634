"""The API as the product runs it, `python -m lead_signals api --port …`, started for a bench and ended with it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from bench.bench_error import BenchError
from lead_signals.end_with_parent import end_with_parent
from lead_signals.settings import Settings

SERVICE = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
POLL_SECONDS = 0.05
DRAIN_SECONDS = 20.0
LOG_SHOWN_CHARACTERS = 2000


class ApiProcess:
    """One process, and where it listens on loopback."""

    def __init__(self, environment: Mapping[str, str], log_path: Path) -> None:
        self.port = _free_port()
        self._log_path = log_path
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lead_signals", "api", "--port", str(self.port)],
                cwd=SERVICE,
                env={**_without_settings(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal reaches us alone; we end it in order
                preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one call of an already loaded C function
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_until_it_answers(self) -> None:
        """Return when /health says ok. Raises BenchError with the end of its log when it ended, or did not answer in time."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_running() or time.monotonic() > deadline:
                raise BenchError(f"The API did not start. The end of its log:\n{self.end_of_log()}")
            time.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        return False

    def is_running(self) -> bool:
        """False once it has ended, whatever the reason."""
        return self._process.poll() is None

    def end_of_log(self) -> str:
        """What it logged last."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")[-LOG_SHOWN_CHARACTERS:]

    def end(self) -> None:
        """Stop it in order, or at all."""
        self._process.terminate()
        try:
            self._process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def api_processes(count: int, environment: Mapping[str, str], folder: Path) -> Iterator[list[ApiProcess]]:
    """So many API processes that answer; none of them is left after the block. Their logs lie in `folder`."""
    with ExitStack() as ending:
        processes = []
        for number in range(count):
            process = ApiProcess(environment, folder / f"api-{number}.log")
            ending.callback(process.end)
            processes.append(process)
        for process in processes:
            process.wait_until_it_answers()
        try:
            yield processes
        except BenchError as error:
            said = [process.end_of_log() for process in processes if not process.is_running()]
            raise BenchError("\n".join((str(error), *(f"The end of its log:\n{log}" for log in said)))) from None


def _without_settings() -> dict[str, str]:
    """Our environment without any setting of the product: what is measured must not depend on who measures."""
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
