"""How long Graph asks us to wait."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lead_signals.clock import now
from lead_signals.graph_api.rate_headers import page_usage

LONGEST_WAIT_SECONDS = 24 * 3600.0
LONGEST_HEADER_CHARACTERS = 64


def retry_after_seconds(headers: Mapping[str, str], at: datetime | None = None) -> float | None:
    """The longer of `Retry-After` (seconds or a date, RFC 9110) and the minutes of the business header; at most a day.

    None when the headers ask for nothing, or for nonsense.
    """
    asked = [_retry_after(headers.get("retry-after", ""), at or now())]
    if (usage := page_usage(headers)) is not None and usage.regain_access_minutes is not None:
        asked.append(usage.regain_access_minutes * 60)
    return max((min(seconds, LONGEST_WAIT_SECONDS) for seconds in asked if seconds is not None), default=None)


def _retry_after(written: str, at: datetime) -> float | None:
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
