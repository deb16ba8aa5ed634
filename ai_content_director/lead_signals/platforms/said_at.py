"""When something was said. Platforms write seconds, milliseconds, digits as text, or ISO 8601; we keep a moment in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lead_signals.json_body import JsonValue

EARLIEST = datetime(2004, 1, 1, tzinfo=UTC)  # before the oldest platform we read
CLOCK_TOLERANCE = timedelta(days=1)
_FIRST_MILLISECONDS = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973


@dataclass(frozen=True, slots=True)
class SaidAt:
    """The moment, or None and a note why there is none."""

    moment: datetime | None
    note: str | None = None

    @property
    def notes(self) -> dict[str, JsonValue]:
        """What `meta` should say about it; empty for an ordinary time."""
        return {"said_at_note": self.note} if self.note else {}


def said_at(value: JsonValue, now: datetime) -> SaidAt:
    """The moment meant by `value`, if it lies between 2004 and one day after `now`. Raises nothing."""
    if value is None:
        return SaidAt(None)
    moment = _moment(value)
    if moment is None:
        return SaidAt(None, "unreadable")
    if not EARLIEST <= moment <= now + CLOCK_TOLERANCE:
        return SaidAt(None, "out_of_range")
    return SaidAt(moment)


def _moment(value: JsonValue) -> datetime | None:
    if isinstance(value, str):
        if value.isascii() and value.isdigit():
            return _from_number(int(value)) if len(value) <= 20 else None
        return _from_iso(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_number(number: float) -> datetime:
    seconds = number / 1000 if abs(number) >= _FIRST_MILLISECONDS else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)  # more than a datetime can hold: out of range, like the year 9999


def _from_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
