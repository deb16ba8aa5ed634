"""Moments as people read them, in Vietnam's time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lead_signals.page_frame.language import Language
from lead_signals.page_frame.shown_moment import show_date, show_day, show_moment

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""17:00 on a Monday in Ho Chi Minh City."""


@pytest.mark.parametrize(
    ("ago", "vietnamese", "english"),
    [
        (timedelta(seconds=-20), "vừa xong", "just now"),
        (timedelta(seconds=59), "vừa xong", "just now"),
        (timedelta(seconds=60), "1 phút trước", "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 phút trước", "59 minutes ago"),
        (timedelta(hours=1), "1 giờ trước", "1 hour ago"),
        (timedelta(hours=11, minutes=59), "11 giờ trước", "11 hours ago"),
        (timedelta(hours=12), "05:00", "05:00"),
        (timedelta(hours=20), "21:00", "21:00"),
        (timedelta(hours=-3), "20:00", "20:00"),
    ],
)
def test_relative_while_fresh_and_the_clock_afterwards(ago: timedelta, vietnamese: str, english: str) -> None:
    assert show_moment(NOW - ago, NOW, Language.VI).relative == vietnamese
    assert show_moment(NOW - ago, NOW, Language.EN).relative == english


def test_just_after_midnight_the_evening_before_is_told_by_the_clock() -> None:
    midnight = datetime(2026, 11, 22, 17, 5, tzinfo=UTC)
    assert show_moment(midnight - timedelta(hours=3), midnight, Language.VI).relative == "21:05"


def test_exact_is_vietnam_time_whatever_the_zone_it_came_in() -> None:
    shown = show_moment(datetime(2026, 11, 22, 12, 30, 5, tzinfo=timezone(timedelta(hours=-5))), NOW, Language.VI)
    assert (shown.exact, shown.machine) == ("00:30:05 23/11/2026 (UTC+7)", "2026-11-23T00:30:05+07:00")
    assert show_moment(NOW, NOW, Language.EN).exact == "17:00:00 23 Nov 2026 (UTC+7)"


def test_days_change_at_midnight_in_vietnam() -> None:
    before_midnight, midnight = datetime(2026, 11, 22, 16, 59, 59, tzinfo=UTC), datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    assert show_day(midnight, NOW, Language.VI) == "Hôm nay, 23/11/2026"
    assert show_day(before_midnight, NOW, Language.VI) == "Hôm qua, 22/11/2026"
    assert show_day(before_midnight - timedelta(days=1), NOW, Language.VI) == "Thứ Bảy, 21/11/2026"
    assert show_day(before_midnight - timedelta(days=1), NOW, Language.EN) == "Saturday, 21 Nov 2026"
    assert show_date(midnight, Language.VI) == "23/11/2026"
