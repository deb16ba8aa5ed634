"""A refusal: why a question brought no opinion, and whether asking again may help. Nothing of what the server wrote is in it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class RefusalKind(StrEnum):
    """A closed set, fit for a metric label and for `opinion_requests.last_failure`."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    RATE_LIMITED = "rate_limited"  # 429
    SERVER_ERROR = "server_error"  # 408 and 5xx
    INVALID = "llm_invalid"  # it answered, and not with one of the ten labels
    KEY_REFUSED = "key_refused"  # 401 and 403
    NOT_FOUND = "not_found"  # 404: no such model, or no such address
    REFUSED = "refused"  # 400 and whatever else says no, redirects among it


MAY_PASS: Final = frozenset({RefusalKind.TIMEOUT, RefusalKind.CONNECTION, RefusalKind.RATE_LIMITED, RefusalKind.SERVER_ERROR})
"""Asked again, later, the same server may answer."""

OPERATOR_MUST_LOOK: Final = frozenset({RefusalKind.KEY_REFUSED, RefusalKind.NOT_FOUND, RefusalKind.REFUSED})
"""No question will be answered before somebody mends key, model or address."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`retry_after_seconds` when the server said how long to wait, an hour at most."""

    kind: RefusalKind
    retry_after_seconds: float | None = None


def refusal_of_status(status: int, retry_after_seconds: float | None = None) -> Refusal:
    """What an answer that is no 2xx says."""
    if status == 429:
        return Refusal(RefusalKind.RATE_LIMITED, retry_after_seconds)
    if status == 408 or status >= 500:
        return Refusal(RefusalKind.SERVER_ERROR, retry_after_seconds)
    if status in (401, 403):
        return Refusal(RefusalKind.KEY_REFUSED)
    return Refusal(RefusalKind.NOT_FOUND if status == 404 else RefusalKind.REFUSED)
