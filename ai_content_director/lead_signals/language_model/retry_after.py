"""How long the server asks us to wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from lead_signals.clock import now
from lead_signals.retry_after import read_retry_after

LONGEST_WAIT_SECONDS: Final = 3600.0


def retry_after_seconds(headers: Mapping[str, str], at: datetime | None = None) -> float | None:
    """`Retry-After`, at most an hour. None when nothing is asked for, or nonsense."""
    seconds = read_retry_after(headers.get("retry-after", ""), at or now())
    return None if seconds is None else min(seconds, LONGEST_WAIT_SECONDS)
