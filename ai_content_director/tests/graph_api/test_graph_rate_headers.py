"""Usage headers, sound and hostile, and the gentleness that comes of them."""

import json
from collections.abc import Mapping

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.graph_api.pace import MOST_PAGES_REMEMBERED, Pace
from lead_signals.graph_api.rate_headers import (
    APP_USAGE,
    BUSINESS_USAGE,
    LONGEST_REGAIN_MINUTES,
    MOST_PERCENT,
    PAGE_USAGE,
    RateUsage,
    app_usage,
    page_usage,
)
from lead_signals.graph_api.retry_after import LONGEST_WAIT_SECONDS, retry_after_seconds
from tests.graph_api.graph_answers import business_usage, graph_error, says, throttled
from tests.graph_api.graph_stand_in import PAGE_ID, PAGE_TOKEN, GraphStandIn


def usage(calls: object, cpu: object = 0, time: object = 0) -> str:
    return json.dumps({"call_count": calls, "total_cputime": cpu, "total_time": time})


def test_the_fullest_counter_counts() -> None:
    assert app_usage({APP_USAGE: usage(28, 25, 93)}) == RateUsage(93.0, None)
    assert app_usage({PAGE_USAGE: usage(99), BUSINESS_USAGE: business_usage(99)}) is None
    assert page_usage({APP_USAGE: usage(99)}) is None
    assert page_usage({PAGE_USAGE: usage(12.5), BUSINESS_USAGE: business_usage(40)}) == RateUsage(40.0, None)


def test_the_longest_wait_of_all_use_cases_counts() -> None:
    two = {
        "1": [{"type": "pages", "call_count": 4, "estimated_time_to_regain_access": 3}, {"type": "leadgen", "call_count": 100}],
        "2": [{"type": "messenger", "estimated_time_to_regain_access": 19}],
    }
    assert page_usage({BUSINESS_USAGE: json.dumps(two)}) == RateUsage(100.0, 19.0)


def test_httpx_headers_are_read_whatever_their_case() -> None:
    assert app_usage(httpx.Headers({"X-App-Usage": usage(7)})) == RateUsage(7.0, None)


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "null",
        "[]",
        "7",
        "{",
        "{}",
        "NaN",
        '{"call_count":NaN}',
        '{"call_count":1e999}',
        usage(-1, None, "99"),
        usage(True, [99], {"a": 99}),
        '{"1":[7,null,[],{"call_count":"x"}],"2":{"call_count":9},"3":null}',
        '{"1":' + "[" * 900 + "]" * 900 + "}",
        "[" * 100_000,
        usage(99) + " " * 20_000,
        usage(99) + ", " + usage(99),
        "\ud800",
        "\x00",
    ],
)
def test_nonsense_counts_as_nothing(hostile: str) -> None:
    headers = dict.fromkeys((APP_USAGE, PAGE_USAGE, BUSINESS_USAGE, "retry-after"), hostile)
    assert app_usage(headers) is None
    assert page_usage(headers) is None
    assert retry_after_seconds({name: value for name, value in headers.items() if hostile != "7"}) is None


def test_what_is_far_beyond_is_cut() -> None:
    assert app_usage({APP_USAGE: usage(10**15, 1e300)}) == RateUsage(MOST_PERCENT, None)
    assert page_usage({BUSINESS_USAGE: business_usage(120, 10**12)}) == RateUsage(120.0, LONGEST_REGAIN_MINUTES)


keys = st.sampled_from(["call_count", "total_time", "estimated_time_to_regain_access", "1"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
)
header_values = st.text() | json_values.map(json.dumps) | st.binary().map(lambda raw: raw.decode("latin-1"))


@example({"retry-after": "0\x1f"})  # once read as a number by one function and as none by the next
@given(st.dictionaries(st.sampled_from([APP_USAGE, PAGE_USAGE, BUSINESS_USAGE, "retry-after"]), header_values))
def test_no_header_ever_raises_or_leaves_its_bounds(headers: Mapping[str, str]) -> None:
    pace = Pace(clock=lambda: 1000.0)
    pace.note_usage("token", headers)
    assert 0 <= pace.pause_seconds("token") <= LONGEST_REGAIN_MINUTES * 60
    for read in (app_usage(headers), page_usage(headers)):
        assert read is None or 0 <= read.percent <= MOST_PERCENT
        assert read is None or read.regain_access_minutes is None or 0 < read.regain_access_minutes <= LONGEST_REGAIN_MINUTES
    assert 0 <= (retry_after_seconds(headers) or 0) <= LONGEST_WAIT_SECONDS


@example(89.9, 0, 0)
@example(0, 90, 0)
@example(0, 0, 99.9)
@example(100, 0, 0)
@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1000))
def test_a_pause_is_made_from_ninety_percent_on(calls: float, cpu: float, time: float) -> None:
    pace = Pace(clock=lambda: 0.0)
    pace.note_usage("token", {APP_USAGE: usage(calls, cpu, time)})
    fullest = max(calls, cpu, time)
    assert pace.pause_seconds(None) == (0 if fullest < 90 else 60 if fullest < 100 else 300)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_pause_runs_out_and_a_better_reading_ends_it() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.note_usage("a", {APP_USAGE: usage(95)})
    clock.seconds += 59
    assert pace.pause_seconds("a") == 1
    pace.note_usage("a", {})
    assert pace.pause_seconds("a") == 1
    clock.seconds += 2
    assert pace.pause_seconds("a") == 0
    pace.note_usage("a", {APP_USAGE: usage(95), BUSINESS_USAGE: business_usage(100, 30)})
    assert (pace.pause_seconds(None), pace.pause_seconds("a")) == (60, 1800)
    pace.note_usage("a", {APP_USAGE: usage(20), BUSINESS_USAGE: business_usage(20)})
    assert (pace.pause_seconds(None), pace.pause_seconds("a")) == (0, 0)


def test_one_busy_page_does_not_slow_its_neighbours_and_all_are_forgotten_in_the_end() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.note_usage("busy", {PAGE_USAGE: usage(100)})
    assert (pace.pause_seconds("busy"), pace.pause_seconds("calm"), pace.pause_seconds(None)) == (300, 0, 0)
    for number in range(MOST_PAGES_REMEMBERED):
        pace.note_usage(f"page {number}", {PAGE_USAGE: usage(100)})
    assert (pace.pause_seconds("busy"), pace.pause_seconds("page 0")) == (0, 300)


async def test_a_client_grows_gentle_as_its_budget_is_spent(graph: GraphStandIn, http: httpx.AsyncClient) -> None:
    clock = Clock()
    client = GraphClient(http, graph.base_url, app_secret=graph.app_secret, clock=clock)
    assert client.pause_seconds(PAGE_TOKEN) == 0
    page = {"id": PAGE_ID}
    graph.answers["page"] = [
        says(page, 200, f"X-Page-Usage: {usage(91)}"),
        says(page, 200, f"X-App-Usage: {usage(100)}"),
        says(page, 200, f"X-App-Usage: {usage(1)}", f"X-Page-Usage: {usage(1)}"),
        throttled(4),
        throttled(32, regain_minutes=2),
        throttled(80001, "retry-after: 500"),
        graph_error(100, None, f"X-App-Usage: {usage(1)}", status=429),
    ]
    pauses = []
    for _ in range(7):
        await client.fetch_page(PAGE_TOKEN)
        pauses.append((client.pause_seconds(), client.pause_seconds(PAGE_TOKEN)))
    assert pauses == [(0, 60), (300, 300), (0, 0), (60, 60), (60, 120), (60, 500), (0, 500)]


async def test_a_throttle_for_the_app_rests_every_page(graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["page"] = throttled(4, "retry-after: 500")
    await client.fetch_page(PAGE_TOKEN)
    assert 490 < client.pause_seconds("token of a neighbour") <= 500
