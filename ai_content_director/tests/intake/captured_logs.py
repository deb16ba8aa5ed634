"""Our log as it is written in production, kept for one block of a test."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lead_signals.log_context import configure_logging


class CapturedLogs:
    """What was logged so far."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """Everything, as it went out."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line as the JSON object it must be."""
        return [json.loads(line) for line in self.text.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of one event, in order."""
        return [line for line in self.lines if line["event"] == name]


@contextmanager
def captured_logs(level: str = "INFO") -> Iterator[CapturedLogs]:
    """Logs of this process as production writes them, while the block runs."""
    root, captured = logging.getLogger(), CapturedLogs()
    handlers, level_before = root.handlers[:], root.level
    configure_logging(level, captured.stream)
    try:
        yield captured
    finally:
        root.handlers[:] = handlers
        root.setLevel(level_before)
