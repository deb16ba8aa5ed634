"""One process of the product as an operator runs it, `python -m lead_signals …`, started for a bench and ended with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.bench_error import BenchError
from lead_signals.end_with_parent import end_with_parent
from lead_signals.settings import Settings

SERVICE = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
POLL_SECONDS = 0.05
DRAIN_SECONDS = 20.0
LOG_SHOWN_CHARACTERS = 2000


class ProductProcess:
    """`arguments` follow `python -m lead_signals`; `environment` is all it knows of settings; what it logs goes to `log_path`."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log_path: Path) -> None:
        self._what = arguments[0]
        self._log_path = log_path
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lead_signals", *arguments],
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

    def wait_until(self, is_up: Callable[[], bool]) -> None:
        """Return when it is up. Raises BenchError with the end of its log when it ended, or was not up in time."""
        deadline = time.monotonic() + START_SECONDS
        while not is_up():
            if not self.is_running() or time.monotonic() > deadline:
                raise BenchError(f"The {self._what} did not start. The end of its log:\n{self.end_of_log()}")
            time.sleep(POLL_SECONDS)

    def is_running(self) -> bool:
        """False once it has ended, whatever the reason."""
        return self._process.poll() is None

    def has_logged(self, words: bytes) -> bool:
        """Whether these words stand in its log."""
        return words in self._log_path.read_bytes()

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


def _without_settings() -> dict[str, str]:
    """Our environment without any setting of the product: what is measured must not depend on who measures."""
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
