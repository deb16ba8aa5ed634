"""`Retry-After` (RFC 9110): how long a server asks us to stay away."""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_HEADER_CHARACTERS: Final = 64


def read_retry_after(written: str, at: datetime) -> float | None:
    """Seconds from `at`, never negative and not capped. `written` is a whole number of seconds or an HTTP date; None for anything else."""
    written = written.strip(" \t")
    if len(written) > LONGEST_HEADER_CHARACTERS:
        return None
    if re.fullmatch(r"[0-9]{1,20}", written):
        return float(written)
    try:
        moment = parsedate_to_datetime(written)
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - at).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
