"""How long the server asks us to wait."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from lead_signals.clock import now

LONGEST_WAIT_SECONDS: Final = 3600.0
LONGEST_HEADER_CHARACTERS: Final = 64


def retry_after_seconds(headers: Mapping[str, str], at: datetime | None = None) -> float | None:
    """`Retry-After`, seconds or a date (RFC 9110), at most an hour. None when nothing is asked for, or nonsense."""
    written = headers.get("retry-after", "")
    if len(written) > LONGEST_HEADER_CHARACTERS:
        return None
    if re.fullmatch(r"[0-9]{1,20}", written):
        return min(float(written), LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(written)
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - (at or now())).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else None
