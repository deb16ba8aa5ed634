"""The product's own processes, started and ended as an operator's machine does it: `python -m lead_signals api|worker` on a database.

Their logs go to files. What they logged is printed after each test, and pytest shows that when the test failed.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.end_with_parent import end_with_parent
from lead_signals.settings import Settings
from tests.rows import Rows
from tests.waiting import wait_until

SERVICE = Path(__file__).resolve().parents[1]
PORTS = range(20_000, 30_000)  # below those the kernel gives to outgoing connections
STOP_SECONDS = 30.0
LOG_SHOWN_BYTES = 20_000


class Process:
    """One process of ours. `environment` is all it knows of settings."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log_path = folder / f"{name}.log"
        self._printed_bytes = 0
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lead_signals", *arguments],
                cwd=SERVICE,
                env={**clean_environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509 - as the product starts its own children
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, which: signal.Signals) -> None:
        """Signal this process alone, by its id."""
        self._process.send_signal(which)

    def wait(self, deadline_seconds: float = STOP_SECONDS) -> int:
        """Its exit status, once it has ended (negative: the signal that ended it)."""
        return self._process.wait(deadline_seconds)

    def kill(self) -> None:
        """kill -9."""
        self.send(signal.SIGKILL)
        self.wait()

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it logged so far under this event name."""
        return [line for line in self.log_lines() if line.get("event") == name]

    def log_lines(self) -> list[dict[str, Any]]:
        """The whole lines of its log that are JSON; a traceback that is not shows up in `print_log` only."""
        lines = []
        for line in self.log_path.read_bytes().splitlines():
            with suppress(ValueError):
                lines.append(json.loads(line))
        return lines

    def print_log(self) -> None:
        """What it logged since this was printed last, for the report of a failed test."""
        logged = self.log_path.read_bytes()
        news, self._printed_bytes = logged[self._printed_bytes :], len(logged)
        print(f"--- {self.name} (pid {self.pid}, exit status {self._process.poll()})")  # noqa: T201
        print(news[-LOG_SHOWN_BYTES:].decode(errors="replace"))  # noqa: T201

    def end(self) -> None:
        """Make sure it does not outlive the test, whatever state it is in."""
        if self.is_running():
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            try:
                self.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()


class Api(Process):
    """An API process that answers; `base_url` is where."""

    def __init__(self, name: str, environment: Mapping[str, str], folder: Path, port: int) -> None:
        super().__init__(name, ["api", "--port", str(port)], environment, folder)
        self.base_url = f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        """Whether /health says ok."""
        assert self.is_running(), f"{self.name} ended while it started"
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.base_url}/health", trust_env=False).status_code == 200
        return False


class Product:
    """Any number of API and worker processes on one database. `settings` are environment variables for all of them."""

    def __init__(self, addresses: DatabaseAddresses, folder: Path, settings: Mapping[str, str]) -> None:
        self.addresses = addresses
        self.rows = Rows(addresses.owner)
        self._folder = folder
        self._environment = {"DATABASE_URL": addresses.app, **settings}
        self._processes: list[Process] = []

    def start_api(self) -> Api:
        """One more API; returns when it answers."""
        api = Api(f"api-{len(self._processes)}", self._environment, self._folder, free_port())
        self._processes.append(api)
        wait_until(api.answers, f"{api.name} answers /health", 60)
        return api

    def start_worker(self, *, lease_seconds: float = 3.0, **settings: str) -> Process:
        """One more worker, with a short lease; returns when it works."""
        worker = self.begin_worker(lease_seconds=lease_seconds, **settings)
        wait_until(lambda: worker.events("worker_started") or not worker.is_running(), f"{worker.name} has started", 60)
        assert worker.is_running(), f"{worker.name} ended while it started"
        return worker

    def begin_worker(self, *, lease_seconds: float = 3.0, **settings: str) -> Process:
        """The same without waiting: what it works on may not be there yet."""
        arguments = ["worker", "--lease-seconds", str(lease_seconds)]
        worker = Process(f"worker-{len(self._processes)}", arguments, self._environment | settings, self._folder)
        self._processes.append(worker)
        return worker

    def print_logs(self) -> None:
        """What each process logged since this was printed last."""
        for process in self._processes:
            process.print_log()

    def end(self) -> None:
        """End every process, and print what each logged."""
        self.rows.close()
        for process in self._processes:
            process.end()
        self.print_logs()


@contextmanager
def product_on(addresses: DatabaseAddresses, folder: Path, **settings: str) -> Iterator[Product]:
    """A stage for processes on this database; nothing of it runs after the block."""
    product = Product(addresses, folder, settings)
    try:
        yield product
    finally:
        product.end()


def clean_environment() -> dict[str, str]:
    """Our own environment without any setting of the product: tests say themselves what is set."""
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
