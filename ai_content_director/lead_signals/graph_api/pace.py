"""How gently to call: what Graph said about our budget, remembered until it no longer holds."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping

from lead_signals.graph_api.graph_failure import APP_WIDE_THROTTLE_CODE, GraphFailure
from lead_signals.graph_api.rate_headers import RateUsage, app_usage, page_usage

NEARLY_SPENT_PERCENT = 90.0
NEARLY_SPENT_PAUSE_SECONDS = 60.0
SPENT_PERCENT = 100.0
SPENT_PAUSE_SECONDS = 300.0  # budgets run over rolling hours and days: five minutes give a little of them back
MOST_PAGES_REMEMBERED = 1_000


class Pace:
    """One app's budget and those of its Pages. `clock` gives seconds that only grow.

    A Page is known by a digest of its token, so that no token stays in memory here, and one busy Page does not slow its neighbours.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._app_free_at = 0.0
        self._page_free_at: OrderedDict[bytes, float] = OrderedDict()

    def pause_seconds(self, token: str | None) -> float:
        """How long to leave Graph alone: for the app, or for the Page of this token when that is longer. 0 = go on."""
        free_at = self._app_free_at if token is None else max(self._app_free_at, self._page_free_at.get(_digest(token), 0.0))
        return max(free_at - self._clock(), 0.0)

    def note_usage(self, token: str, headers: Mapping[str, str]) -> None:
        """Take down what an answer's headers say; headers without usage change nothing."""
        if (app := app_usage(headers)) is not None:
            self._app_free_at = self._clock() + _pause_for(app)
        if (page := page_usage(headers)) is not None:
            self._rest_page_until(self._clock() + _pause_for(page), token)

    def note_throttle(self, token: str, failure: GraphFailure) -> None:
        """Take down that Graph refused a call for its rate, for the wait it asked or for one of our own."""
        free_at = self._clock() + (failure.retry_after_seconds or NEARLY_SPENT_PAUSE_SECONDS)
        if failure.code == APP_WIDE_THROTTLE_CODE:
            self._app_free_at = max(self._app_free_at, free_at)
        else:
            self._rest_page_until(max(free_at, self._page_free_at.get(_digest(token), 0.0)), token)

    def _rest_page_until(self, free_at: float, token: str) -> None:
        page = _digest(token)
        self._page_free_at.pop(page, None)
        if free_at > self._clock():
            self._page_free_at[page] = free_at
        if len(self._page_free_at) > MOST_PAGES_REMEMBERED:
            self._page_free_at.popitem(last=False)


def _pause_for(usage: RateUsage) -> float:
    if usage.regain_access_minutes is not None:
        return usage.regain_access_minutes * 60
    if usage.percent >= SPENT_PERCENT:
        return SPENT_PAUSE_SECONDS
    return NEARLY_SPENT_PAUSE_SECONDS if usage.percent >= NEARLY_SPENT_PERCENT else 0.0


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
