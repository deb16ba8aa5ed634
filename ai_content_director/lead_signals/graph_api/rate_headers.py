"""How much of our budget of calls is spent, as Graph writes it into the headers of every answer (docs: Graph API, rate limiting).

`X-App-Usage` and `X-Page-Usage` are `{call_count, total_cputime, total_time}` in percent of the limit; the business header is
`{id: [{type, call_count, total_cputime, total_time, estimated_time_to_regain_access}]}`, the last in minutes.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lead_signals.json_body import JsonObject, JsonValue, MalformedBody, parse_json_body

APP_USAGE = "x-app-usage"
PAGE_USAGE = "x-page-usage"
BUSINESS_USAGE = "x-business-use-case-usage"
LONGEST_HEADER_CHARACTERS = 16_384
LONGEST_REGAIN_MINUTES = 24 * 60.0  # the longest window Graph counts in
MOST_PERCENT = 1_000.0  # Graph counts on above 100; far beyond is nonsense

_SHARES = ("call_count", "total_cputime", "total_time")


@dataclass(frozen=True, slots=True)
class RateUsage:
    """The fullest of Graph's counters, in percent, and the minutes until a closed door opens again (None: it is open)."""

    percent: float
    regain_access_minutes: float | None


def app_usage(headers: Mapping[str, str]) -> RateUsage | None:
    """What all calls of our app together have used; None when the headers do not say, or say nonsense."""
    return _fullest([_header(headers, APP_USAGE)])


def page_usage(headers: Mapping[str, str]) -> RateUsage | None:
    """What the calls for this token's Page have used, by the Page's and the business headers; None as above."""
    return _fullest([_header(headers, PAGE_USAGE), *_use_cases(_header(headers, BUSINESS_USAGE))])


def _header(headers: Mapping[str, str], name: str) -> JsonObject:
    """The header's object, empty for anything that is none. `headers` may be httpx's, or a dict with names in lower case."""
    written = headers.get(name, "")
    if not written or len(written) > LONGEST_HEADER_CHARACTERS:
        return {}
    try:
        return parse_json_body(written.encode("utf-8", "replace"))
    except MalformedBody:
        return {}


def _use_cases(business: JsonObject) -> Iterator[JsonObject]:
    for use_cases in business.values():
        if isinstance(use_cases, list):
            yield from (use_case for use_case in use_cases if isinstance(use_case, dict))


def _fullest(counters: list[JsonObject]) -> RateUsage | None:
    shares = [share for counter in counters for name in _SHARES if (share := _number(counter.get(name), MOST_PERCENT)) is not None]
    waits = [_number(counter.get("estimated_time_to_regain_access"), LONGEST_REGAIN_MINUTES) for counter in counters]
    wait = max((minutes for minutes in waits if minutes), default=None)
    if not shares and wait is None:
        return None
    return RateUsage(max(shares, default=0.0), wait)


def _number(value: JsonValue, most: float) -> float | None:
    """A number of at least 0, cut to `most`; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return min(float(value), most)
