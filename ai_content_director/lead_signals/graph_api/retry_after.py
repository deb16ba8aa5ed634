"""How long Graph asks us to wait."""

from collections.abc import Mapping
from datetime import datetime

from lead_signals.clock import now
from lead_signals.graph_api.rate_headers import page_usage
from lead_signals.retry_after import read_retry_after

LONGEST_WAIT_SECONDS = 24 * 3600.0


def retry_after_seconds(headers: Mapping[str, str], at: datetime | None = None) -> float | None:
    """The longer of `Retry-After` and the minutes of the business header; at most a day.

    None when the headers ask for nothing, or for nonsense.
    """
    asked = [read_retry_after(headers.get("retry-after", ""), at or now())]
    if (usage := page_usage(headers)) is not None and usage.regain_access_minutes is not None:
        asked.append(usage.regain_access_minutes * 60)
    return max((min(seconds, LONGEST_WAIT_SECONDS) for seconds in asked if seconds is not None), default=None)
