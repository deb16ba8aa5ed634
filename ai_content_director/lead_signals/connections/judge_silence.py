"""Is this channel quieter than it ever is? A pure function over the hours in which it was heard.

A Page that lost its subscription says nothing about it. A fixed limit would call every office Page dead on Sunday, and notice the death
of a busy one a day late; so each channel is measured by its own habit, in two ways:

* By the clock: quiet for more than twice its longest silence, and for more than 12 hours. Good for Pages that speak at any time.
* By its waking hours, the hours of the week (Monday 8 o'clock, ...) in which it was heard in at least two of the last four weeks: quiet
  for more than 12 of them, and for more than twice its longest silence as counted in them. An office Page is silent for 62 hours every
  weekend, so the clock alone would wait for five days; of its own hours it misses 12 by the middle of the next day. A single public
  holiday (8 to 10 hours) stays below, a week of Tết does not: that is told, and costs the operator one look.

Once there are three weeks of history, the one longest silence is left out of both: a Tết, or an outage of ours, would otherwise make the
watchdog deaf for a month. Before that a weekend may have been seen only once, and the longest silence counts.

Weeks need no time zone: Vietnam keeps UTC+7 all year, so an hour of its week is an hour of the week in UTC.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

HISTORY_DAYS = 28
LEAST_SPAN_DAYS = 7  # holds a weekend
LEAST_DAYS_HEARD = 5  # a Page that spoke for one campaign has no habit to break
SETTLED_SPAN_DAYS = 21
WEEKS_THAT_MAKE_A_HABIT = 2
LEAST_SILENCE_HOURS = 12
TIMES_THE_LONGEST = 2

HOUR = timedelta(hours=1)


def is_quiet(heard_hours: Collection[datetime], now: datetime) -> bool:
    """Whether the silence up to `now` breaks the channel's habit. `heard_hours`: beginnings of the hours it was heard in, any order.

    False as long as there is too little history to know a habit: 5 different days over a week at least.
    """
    if not heard_hours:
        return False
    last = max(heard_hours)
    hours = sorted(hour for hour in set(heard_hours) if last - hour < timedelta(days=HISTORY_DAYS))
    span = last - hours[0]
    if span < timedelta(days=LEAST_SPAN_DAYS) or len({hour.date() for hour in hours}) < LEAST_DAYS_HEARD:
        return False
    settled = span >= timedelta(days=SETTLED_SPAN_DAYS)
    silence = _hours_between(last, now)
    if len(silence) > _allowed([len(_hours_between(*pair)) for pair in _pairs(hours)], settled=settled):
        return True
    if not settled:
        return False
    waking = _waking_hours(hours)
    gaps = [_count_waking(_hours_between(*pair), waking) for pair in _pairs(hours)]
    return _count_waking(silence, waking) > _allowed(gaps, settled=settled)


def _allowed(gaps: Sequence[int], *, settled: bool) -> int:
    """The longest silence, in hours, that is no news."""
    usual = sorted(gaps)[:-1] if settled else gaps
    return max(LEAST_SILENCE_HOURS, TIMES_THE_LONGEST * max(usual, default=0))


def _pairs(hours: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    return list(pairwise(hours))


def _hours_between(heard: datetime, later: datetime) -> list[datetime]:
    """The whole hours of silence after the hour `heard`, before the hour or moment `later`."""
    return [heard + HOUR * step for step in range(1, max(1, (later - heard) // HOUR))]


def _waking_hours(hours: Sequence[datetime]) -> frozenset[int]:
    last = hours[-1]
    weeks_heard: dict[int, set[int]] = {}
    for hour in hours:
        weeks_heard.setdefault(_hour_of_week(hour), set()).add((last - hour) // timedelta(days=7))
    return frozenset(hour for hour, weeks in weeks_heard.items() if len(weeks) >= WEEKS_THAT_MAKE_A_HABIT)


def _count_waking(hours: Sequence[datetime], waking: frozenset[int]) -> int:
    return sum(_hour_of_week(hour) in waking for hour in hours)


def _hour_of_week(hour: datetime) -> int:
    return hour.weekday() * 24 + hour.hour
