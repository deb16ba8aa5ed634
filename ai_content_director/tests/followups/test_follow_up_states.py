"""docs/follow_up_states.md tells the truth: states as in the enum and the CHECK, a function for each arrow, and the numbers of the code."""

import inspect
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint

from lead_signals.followups.delivering import endpoint_gates
from lead_signals.followups.delivering.claim_deliveries import FRESH_SECONDS
from lead_signals.followups.delivering.delivery_work import HANDS, RESERVE
from lead_signals.followups.delivering.owed_endpoints import FIRST_FEW
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.followups.retry_schedule import CRASH_LIMIT, LEAST_SPREAD, LONGEST_RETRY_AFTER, MOST_ATTEMPTS, RETRY_FLOORS, SPREAD_SHARE

SERVICE = Path(__file__).parents[2]
TOLD = (SERVICE.parent / "docs" / "follow_up_states.md").read_text(encoding="utf-8")
ONE_LINE = " ".join(TOLD.split())

STATES = {state.value for state in FollowUpState}
ARROW = re.compile(r"^    (\S+) --> (\S+?)(?:: (.+))?$", re.MULTILINE)
DRAWN = [(before, after) for before, after, _ in ARROW.findall(TOLD)]
LISTED = re.findall(r"^\| `?(new|\w+)`? → `(\w+)` \| `([\w/]+\.py):(\w+)` \|", TOLD, re.MULTILINE)
NAMED = re.findall(r"`([\w/]+\.py):(\w+)`", TOLD)
MEANT = re.findall(r"^\| `(\w+)` \| [^`]", TOLD, re.MULTILINE)
ATTEMPT = re.compile(r"^\| (\d+) \| (at once|[\d.]+ (?:s|min|h)) \| ((?:[\d.]+ (?:s|min|h))?) ?\|$", re.MULTILINE)
UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1)}

MOST_AT_ONCE = inspect.signature(endpoint_gates.EndpointGates).parameters["most_at_once"].default


def check(name: str) -> set[str]:
    """The words in quotes of one CHECK of the table."""
    (found,) = (one for one in follow_ups.constraints if isinstance(one, CheckConstraint) and str(one.name).endswith(name))
    return set(re.findall(r"'(\w+)'", str(found.sqltext)))


def as_span(told: str) -> timedelta:
    if told in {"", "at once"}:
        return timedelta(0)
    number, unit = told.split()
    return float(number) * UNITS[unit]


def test_drawing_enum_and_check_know_the_same_states() -> None:
    drawn = {state for arrow in DRAWN for state in arrow} - {"[*]"}
    assert drawn == STATES == check("state")
    assert sorted(MEANT) == sorted(STATES), "each state is explained once"


def test_the_states_that_end_are_those_the_check_calls_finished() -> None:
    assert {before for before, after in DRAWN if after == "[*]"} == check("finished")
    assert [after for before, after in DRAWN if before == "[*]"] == [FollowUpState.PENDING.value]


def test_each_arrow_is_drawn_once_says_why_and_is_listed_once_with_its_function() -> None:
    assert len(DRAWN) > 15
    assert [arrow for arrow, times in Counter(DRAWN).items() if times > 1] == []
    assert [arrow for *arrow, why in ARROW.findall(TOLD) if not why and arrow[1] != "[*]"] == []
    listed = [("[*]" if before == "new" else before, after) for before, after, *_ in LISTED]
    assert sorted(listed) == sorted(arrow for arrow in DRAWN if arrow[1] != "[*]")


def test_every_function_it_names_is_there() -> None:
    assert len(NAMED) >= len(LISTED)
    for file, name in NAMED:
        path = SERVICE / "lead_signals" / file
        assert path.is_file(), file
        assert re.search(rf"^(async )?(def|class) {name}\b", path.read_text(encoding="utf-8"), re.MULTILINE), f"{file} has no {name}"


def test_the_table_of_attempts_is_the_schedule() -> None:
    rows = [(int(number), as_span(least), as_span(most)) for number, least, most in ATTEMPT.findall(TOLD)]
    assert rows == [
        (1, timedelta(0), timedelta(0)),
        *((number, floor, 2 * floor) for number, floor in enumerate(RETRY_FLOORS, start=2)),
    ]
    assert len(rows) == MOST_ATTEMPTS
    seconds = sum(RETRY_FLOORS, timedelta(0)).total_seconds()
    assert f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min" in ONE_LINE


@pytest.mark.parametrize(
    "told",
    [
        f"while follow-ups are taken | {endpoint_gates.SMALL_WINDOW} at once, twice as many each round up to {MOST_AT_ONCE}",
        f"{endpoint_gates.SHUT_AT_WEIGHT // endpoint_gates.WEIGHT_OF_ENDPOINT} failures in a row that speak of the endpoint",
        "5xx, " + ", ".join(map(str, endpoint_gates.SPEAK_OF_THE_ENDPOINT)),
        f"or {endpoint_gates.SHUT_AT_WEIGHT // endpoint_gates.WEIGHT_OF_MESSAGE} other 4xx in a row",
        f"nothing for {endpoint_gates.FIRST_PAUSE_SECONDS:.0f} s, or",
        f"twice as long, up to {endpoint_gates.LONGEST_PAUSE_SECONDS:.0f} s",
        "one of " + ", ".join(map(str, endpoint_gates.OVERLOADED)) + f"; for {endpoint_gates.FIRST_PAUSE_SECONDS:.0f} s after any other",
        "was shut for a minute or more, or in a worker" if endpoint_gates.LONG_SHUT_SECONDS == 60 else "another while",
        "At most once an hour for one endpoint" if endpoint_gates.HURRY_EVERY_SECONDS == 3600 else "another pace",
        f"has {HANDS:,} hands, and {RESERVE} of them are a reserve for endpoints that have fewer than {FIRST_FEW} follow-ups in hand",
        "up to a quarter on top" if endpoint_gates.JITTER_SHARE == 0.25 else "another jitter",
        "promised within the last minute" if FRESH_SECONDS == 60 else "another lane",
        "granted up to one hour" if timedelta(hours=1) == LONGEST_RETRY_AFTER else "another cap",
        f"a tenth of it ({LEAST_SPREAD.total_seconds():.0f} s at least)" if SPREAD_SHARE == 10 else "another spread",
        "more than five times in a row" if CRASH_LIMIT == 5 else "another limit",
    ],
)
def test_the_numbers_it_tells_are_the_codes(told: str) -> None:
    assert told in ONE_LINE
