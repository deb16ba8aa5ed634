"""Why Graph gave no answer, as a closed set an operator can act upon.

Codes: Meta's pages on error handling and rate limiting. Nobody retries a dead token; nobody gives up a throttled call.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class FailureKind(StrEnum):
    """What to do about it; a closed set, fit for a metric label."""

    RETRY = "retry"  # network, timeout, Graph is ill or throttles us: the same call may work later
    RECONNECT = "reconnect"  # the token is dead: a person must connect the Page again
    PERMISSION = "permission"  # the token lives and may not do this
    BLOCKED = "blocked"  # Meta blocked the Page or the app for a policy
    NOT_FOUND = "not_found"  # deleted, expired, or never visible to this Page
    REFUSED = "refused"  # the call itself is wrong: an impossible id, a bad appsecret_proof, a code we do not know
    BAD_ANSWER = "bad_answer"  # no JSON, another shape, too big, a redirect: probably something between us and Meta
    NOT_CONFIGURED = "not_configured"  # the app's id or secret is needed for this call and was not given


DEAD_TOKEN_CODES = frozenset({102, 190})
THROTTLE_CODES = frozenset({4, 17, 32, 341, 613})
APP_WIDE_THROTTLE_CODE = 4
BUSINESS_THROTTLE_CODES = range(80_000, 80_015)  # one per business use case: 80001 Pages, 80005 lead ads
TEMPORARY_CODES = frozenset({1, 2})
POLICY_BLOCK_CODE = 368
NO_SUCH_OBJECT_CODE = 803
BAD_PARAMETER_CODE = 100  # says "not found" by its subcode only
UNREADABLE_OBJECT_SUBCODE = 33
NO_PROFILE_SUBCODE = 2018218

_TODO = {
    FailureKind.RETRY: "Graph could not be reached, is ill or asked us to slow down; the call will work later, nothing is to be done.",
    FailureKind.RECONNECT: "The Page's access token no longer works; connect the Page again.",
    FailureKind.PERMISSION: "The token lacks a permission for this; connect the Page again and grant all permissions asked for, "
    "and for lead forms give the app access in the Page's Leads Access Manager.",
    FailureKind.BLOCKED: "Meta blocks this Page or app for a policy; look at the Page's Support Inbox and the app's alerts.",
    FailureKind.NOT_FOUND: "Graph does not have this, or does not show it to this Page: deleted, too old, or hidden by its owner.",
    FailureKind.REFUSED: "Graph refuses the call as it is made; check that app id and app secret belong to the app the token was made for.",
    FailureKind.BAD_ANSWER: "What answered does not speak like Graph; check the address of Graph and any proxy on the way.",
    FailureKind.NOT_CONFIGURED: "This call needs the app's id and secret; set them.",
}
_DEAD_TOKEN = {
    458: "The app was removed from the account that connected the Page; connect the Page again.",
    459: "Facebook holds the account that connected the Page at a security check; sign in at facebook.com, then connect the Page again.",
    460: "The password of the account that connected the Page was changed; connect the Page again.",
    463: "The Page's access token has expired; connect the Page again.",
    467: "The Page's access token was made invalid; connect the Page again.",
}


@dataclass(frozen=True, slots=True)
class GraphFailure:
    """One call without an answer. Holds no token.

    `code` and `subcode` are Graph's numbers, None when Graph did not speak; `retry_after_seconds` is set for RETRY alone, when Graph
    said how long; `graph_said` is Graph's own sentence, at most 200 characters on one line, tokens and addresses taken out. It is kept
    out of repr: show it to the channel's tenant if at all, and do not log it.
    """

    kind: FailureKind
    code: int | None = None
    subcode: int | None = None
    http_status: int | None = None
    retry_after_seconds: float | None = None
    graph_said: str = field(default="", repr=False)

    @property
    def may_pass(self) -> bool:
        """Whether the same call may work another time. A bad answer counts: a proxy's error page must not cost a phone number."""
        return self.kind in (FailureKind.RETRY, FailureKind.BAD_ANSWER)

    @property
    def is_throttle(self) -> bool:
        """Whether Graph said that we call too often."""
        return is_throttle_code(self.code) or self.http_status == 429

    @property
    def sentence(self) -> str:
        """What an operator should do, in English, with Graph's numbers and nothing a stranger wrote."""
        todo = _DEAD_TOKEN.get(self.subcode or 0) if self.kind is FailureKind.RECONNECT else None
        return (todo or _TODO[self.kind]) + self._numbers

    @property
    def _numbers(self) -> str:
        named = {"Graph code": self.code, "subcode": self.subcode, "HTTP": self.http_status}
        numbers = ", ".join(f"{name} {number}" for name, number in named.items() if number is not None)
        return f" ({numbers})" if numbers else ""


def failure_kind(code: int | None, subcode: int | None, http_status: int, *, is_transient: bool = False) -> FailureKind:
    """What Graph's numbers mean. A code we know beats the HTTP status; `is_transient` is Graph's own word on codes we do not know."""
    if code in DEAD_TOKEN_CODES:
        return FailureKind.RECONNECT
    if code in TEMPORARY_CODES or is_throttle_code(code):
        return FailureKind.RETRY
    if code is not None and (code in (3, 10) or 200 <= code <= 299):
        return FailureKind.PERMISSION
    if code == POLICY_BLOCK_CODE:
        return FailureKind.BLOCKED
    if code == NO_SUCH_OBJECT_CODE or (code == BAD_PARAMETER_CODE and subcode in (UNREADABLE_OBJECT_SUBCODE, NO_PROFILE_SUBCODE)):
        return FailureKind.NOT_FOUND
    if is_transient or status_may_pass(http_status):
        return FailureKind.RETRY
    return FailureKind.REFUSED


def is_throttle_code(code: int | None) -> bool:
    """Whether this code says that we call too often."""
    return code is not None and (code in THROTTLE_CODES or code in BUSINESS_THROTTLE_CODES)


def status_may_pass(http_status: int) -> bool:
    """Whether this HTTP status alone says "later"."""
    return http_status >= 500 or http_status in (408, 429)
