"""`python -m lead_signals serve` as a person starts it at a terminal, and what it left behind when it ended."""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from lead_signals.end_with_parent import end_with_parent
from tests.product import SERVICE, clean_environment, free_port
from tests.waiting import wait_until

READY = "Ctrl-C"  # the last line of the welcome
START_SECONDS = 120.0
STOP_SECONDS = 60.0
LOG_SHOWN_BYTES = 20_000


class Served:
    """One `serve`. What it says is in `said`; what its children log lies in the data directory."""

    def __init__(self, data_directory: Path, *flags: str, port: int | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.data_directory = data_directory
        self.port = port or free_port()
        with tempfile.NamedTemporaryFile(prefix="serve-", suffix=".txt", delete=False) as words:
            self._words = Path(words.name)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lead_signals", "serve", "--port", str(self.port), "--data-dir", str(data_directory), *flags],
                cwd=SERVICE,
                env={**clean_environment(), **(settings or {})},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGINT),  # noqa: PLW1509 - it may not outlive the tests
            )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self._words.read_text(encoding="utf-8")

    @property
    def tenant_id(self) -> str:
        """The tenant that the welcome names."""
        found = re.search(r"Tenant:\s+([0-9a-f-]{36})", self.said)
        assert found, self.said
        return found[1]

    @property
    def log(self) -> str:
        return (self.data_directory / "lead-signals.log").read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        wait_until(lambda: READY in self.said or not self.is_running(), "serve has said its welcome", START_SECONDS)
        assert READY in self.said, self.said

    def is_running(self) -> bool:
        return self._process.poll() is None

    def family(self) -> list[psutil.Process]:
        """Every process below it, at this moment."""
        return list(psutil.Process(self._process.pid).children(recursive=True))

    def child(self, role: str) -> psutil.Process:
        """Its own child that is the `api`, the `worker` or `postgres`."""
        (found,) = self.children(role)
        return found

    def children(self, role: str) -> list[psutil.Process]:
        """The same while there may be none."""
        return [child for child in psutil.Process(self._process.pid).children() if role in _words_of(child)]

    def send(self, which: signal.Signals) -> None:
        """Signal `serve` itself, and nobody below it."""
        self._process.send_signal(which)

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait(STOP_SECONDS)

    def end(self) -> int:
        """Ctrl-C."""
        self.send(signal.SIGINT)
        return self.wait()

    def print_words(self) -> None:
        """What it and its children said last, for the report of a failed test."""
        log = self.data_directory / "lead-signals.log"
        logged = log.read_bytes()[-LOG_SHOWN_BYTES:].decode(errors="replace") if log.exists() else ""
        print(f"--- serve on port {self.port} (exit status {self._process.poll()})\n{self.said}\n{logged}")  # noqa: T201

    def close(self) -> None:
        """Print the last words, and forget them."""
        self.print_words()
        self._words.unlink()


@contextmanager
def serving(data_directory: Path, *flags: str, port: int | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A `serve` that has said its welcome; it is ended after the block if it still runs."""
    served = Served(data_directory, *flags, port=port, settings=settings)
    try:
        served.wait_until_ready()
        yield served
    finally:
        if served.is_running():
            served.end()
        served.close()


def refused(data_directory: Path, *flags: str, port: int | None = None) -> tuple[int, str]:
    """A `serve` that must not start: its exit status and what it said."""
    served = Served(data_directory, *flags, port=port)
    try:
        return served.wait(), served.said
    finally:
        if served.is_running():
            served.end()
        served.close()


def _words_of(process: psutil.Process) -> set[str]:
    """Its program's name and arguments; none for one that has ended."""
    try:
        program, *arguments = process.cmdline() or [""]
    except psutil.Error:
        return set()
    return {Path(program).name, *arguments}


def still_running(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended. A zombie has: it waits for nothing but to be counted."""
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
