"""A moment on the command line: an ISO date or moment, or how long ago it was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from lead_signals import clock

_SPANS = {"d": "days", "h": "hours", "m": "minutes"}


class Moment(click.ParamType[datetime]):
    """An ISO date or moment (UTC unless it names a zone), or how long ago: 7d, 24h, 30m."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC. Fails with a sentence."""
        if isinstance(value, datetime):
            return value
        try:
            if value[-1:] in _SPANS and value[:-1].isascii() and value[:-1].isdigit():
                return clock.now() - timedelta(**{_SPANS[value[-1]]: int(value[:-1])})
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no moment; write 2026-11-01, 2026-11-01T08:00+07:00, 7d or 24h.", param, ctx)
