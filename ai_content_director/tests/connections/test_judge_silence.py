"""Whose silence is news: Pages of several kinds, by the hours in which they speak. Clock times are those of Vietnam (UTC+7)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from lead_signals.connections.judge_silence import is_quiet

VIETNAM = timezone(timedelta(hours=7))
MONDAY = datetime(2026, 11, 2, tzinfo=VIETNAM)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def hours(days: Iterable[int], of_day: Iterable[int]) -> list[datetime]:
    """Each of these hours on each of these days, counted from a Monday; an hour of 24 or more is the next day's."""
    of_day = list(of_day)
    return sorted((MONDAY + DAY * day + HOUR * hour).astimezone(UTC) for day in days for hour in of_day)


def told_at(heard: list[datetime], limit_days: int = 30) -> timedelta | None:
    """How long after the end of its last hour a silence is told; None when it never is within `limit_days`."""
    end = max(heard) + HOUR
    return next((HOUR * step for step in range(limit_days * 24) if is_quiet(heard, end + HOUR * step)), None)


def workdays(weeks: int) -> list[int]:
    return [day for day in range(7 * weeks) if day % 7 < 5]


OFFICE = hours(workdays(4), range(8, 18))
NIGHT_SHOP = hours(range(28), range(20, 27))
NEVER_SLEEPS = hours(range(28), range(24))


def test_an_office_page_is_not_called_dead_on_any_evening_or_weekend() -> None:
    for weeks in (2, 3, 4):
        heard = hours(workdays(weeks), range(8, 18))
        friday_evening = max(heard) + HOUR
        assert not any(is_quiet(heard, friday_evening + HOUR * step) for step in range(62)), f"{weeks} weeks of history"


def test_an_office_page_that_dies_on_a_tuesday_morning_is_told_by_wednesday_noon() -> None:
    heard = [*OFFICE, *hours([28], range(8, 18)), *hours([29], range(8, 10))]
    told = told_at(heard)
    assert told is not None
    assert told == timedelta(hours=27), "the 13th of its own hours: 8 on Tuesday, and on Wednesday until 13 o'clock"


def test_a_single_public_holiday_after_a_weekend_is_no_news_but_the_next_silent_morning_is() -> None:
    friday_evening = max(OFFICE) + HOUR
    holiday_evening = friday_evening + timedelta(hours=62 + 14)  # Monday 18 o'clock would be 10 of its hours
    assert not is_quiet(OFFICE, holiday_evening)
    assert told_at(OFFICE) == timedelta(hours=62 + 24 + 3)


def test_a_shop_of_the_night_is_not_called_dead_by_day() -> None:
    for step in range(24):
        assert not is_quiet(NIGHT_SHOP, max(NIGHT_SHOP) + HOUR + HOUR * step)
    told = told_at(NIGHT_SHOP)
    assert told is not None
    assert timedelta(days=1) < told < timedelta(days=2)


def test_a_page_that_never_sleeps_is_missed_after_half_a_day() -> None:
    assert told_at(NEVER_SLEEPS) == timedelta(hours=13)


def test_a_page_with_a_few_words_at_any_time_is_missed_after_twice_its_longest_silence() -> None:
    now_and_then = hours(range(28), [9]) + hours(range(0, 28, 2), [15]) + hours(range(1, 28, 3), [21])
    told = told_at(now_and_then)
    assert told is not None
    assert timedelta(days=1) < told <= timedelta(hours=2 * 24 + 1)


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param([], id="never heard"),
        pytest.param(hours([0], [9]), id="once"),
        pytest.param(hours([0, 1], range(24)), id="one campaign of two days"),
        pytest.param(hours(range(6), range(8, 18)), id="six days old"),
        pytest.param(hours([0, 7, 14, 21], range(19, 23)), id="four Sundays"),
    ],
)
def test_without_a_habit_no_silence_is_news(heard: list[datetime]) -> None:
    assert not any(is_quiet(heard, MONDAY + DAY * day) for day in range(120))


def test_a_silent_week_of_tet_is_told_once_it_is_longer_than_a_holiday() -> None:
    told = told_at(OFFICE)  # the office closes on a Friday for nine days
    assert told is not None
    assert timedelta(days=3) < told < timedelta(days=4)


def test_after_tet_the_watchdog_is_not_deaf() -> None:
    """Nine days of silence lie in the history: the next real one must still be told within two days."""
    closed = set(range(7, 16))
    heard = hours([day for day in workdays(4) if day not in closed], range(8, 18))
    told = told_at([*heard, *hours([28], range(8, 18))])
    assert told is not None
    assert told < timedelta(days=2)


def test_a_young_page_with_one_weekend_behind_it_survives_the_second() -> None:
    heard = hours([day for day in range(12) if day % 7 < 5], range(8, 18))
    assert not any(is_quiet(heard, max(heard) + HOUR + HOUR * step) for step in range(62))


def test_a_burst_in_one_hour_weighs_no_more_than_a_word() -> None:
    assert told_at(OFFICE + OFFICE) == told_at(OFFICE)


def test_the_order_of_the_hours_and_what_is_older_than_four_weeks_do_not_matter() -> None:
    ancient = [hour - timedelta(days=200) for hour in NIGHT_SHOP]
    assert told_at([*reversed(OFFICE), *ancient]) == told_at(OFFICE)


@pytest.mark.parametrize("heard", [OFFICE, NIGHT_SHOP, NEVER_SLEEPS], ids=["office", "night", "always"])
def test_who_has_just_spoken_is_not_quiet_and_silence_only_grows(heard: list[datetime]) -> None:
    end = max(heard)
    judged = [is_quiet(heard, end + HOUR * step) for step in range(24 * 14)]
    assert judged[0] is False
    assert judged == sorted(judged), "once quiet, quiet until it is heard"


def test_half_an_hour_is_no_hour() -> None:
    at = max(NEVER_SLEEPS) + HOUR * 13
    assert not is_quiet(NEVER_SLEEPS, at + timedelta(minutes=59))
    assert is_quiet(NEVER_SLEEPS, at + HOUR)
