"""How far a replay is, for who waits at a terminal: a bar there, lines when it is piped. On standard error."""

import sys
from typing import Self

import click

LINES_OF_PROGRESS = 10


class ReplayProgress:
    """Counts receipts up to `length`."""

    def __init__(self, length: int) -> None:
        self._length, self._done, self._lines_told = length, 0, 0
        on_terminal = sys.stderr.isatty()
        self._tells_lines = not on_terminal
        self._bar = click.progressbar(length=length, label="Receipts", file=sys.stderr, hidden=not on_terminal)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.finish()

    def add(self, receipts: int) -> None:
        """So many more are done. Lines come at each tenth; a log must not fill with progress."""
        self._done += receipts
        self._bar.update(receipts)
        tenths = LINES_OF_PROGRESS * self._done // max(self._length, 1)
        if self._tells_lines and tenths > self._lines_told:
            self._lines_told = tenths
            click.echo(f"{self._done:,} of {self._length:,} receipts", err=True)

    def finish(self) -> None:
        """Leave the line of the bar; more than once does no harm."""
        self._bar.render_finish()
