"""Retry-After as servers write it, well and badly."""

from datetime import UTC, datetime

import pytest

from lead_signals.retry_after import read_retry_after

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120\t", 120),
        ("00120", 120),
        ("1000000000000000000", 1e18),
        ("Fri, 20 Nov 2026 08:31:00 GMT", 60),
        ("Fri, 20 Nov 2026 15:31:00 +0700", 60),
        ("Friday, 20-Nov-26 08:31:00 GMT", 60),
        ("Fri, 20 Nov 2026 08:31:00", 60),
        ("Fri, 20 Nov 2026 08:29:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_read(written: str, seconds: float) -> None:
    assert read_retry_after(written, AT) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "-1",
        "+5",
        "1.5",
        "1e3",
        "soon",
        "NaN",
        "inf",
        "٣",
        "1" * 21,
        "9" * 500,
        "Fri, 99 Nov 2026 08:31:00 GMT",
        "Fri, 20 Nov",
        "0x10",
        "1\n2",
    ],
)
def test_nonsense_asks_for_nothing(written: str) -> None:
    assert read_retry_after(written, AT) is None


def test_a_date_at_the_end_of_time_is_a_number() -> None:
    assert (read_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", AT) or 0) > 1e10
