"""When a failed follow-up is tried again: how often in all, over how long, and how a receiver's wish changes it."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.followups import retry_schedule
from lead_signals.followups.retry_schedule import LEAST_SPAN, LONGEST_RETRY_AFTER, MOST_ATTEMPTS, RETRY_FLOORS

HOUR = timedelta(hours=1)
draws = st.floats(0, 1)
wishes = st.timedeltas(min_value=timedelta(0))
failures = st.integers(1, MOST_ATTEMPTS - 1)


def delay_after(failed: int, **more: Any) -> timedelta | None:
    """Of a follow-up that is old enough to die."""
    return retry_schedule.delay_after(failed, **{"age": LEAST_SPAN} | more)


def lowest(low: float, high: float) -> float:
    return low


def highest(low: float, high: float) -> float:
    return high


def span(uniform: object) -> timedelta:
    """From the first attempt to the last, when each fails at once."""
    delays = [delay_after(number, uniform=uniform) for number in range(1, MOST_ATTEMPTS)]
    return sum((delay for delay in delays if delay is not None), timedelta(0))


def test_there_are_fourteen_attempts_and_then_no_more() -> None:
    attempts = 1
    while delay_after(attempts) is not None:
        attempts += 1
    assert attempts == MOST_ATTEMPTS == 14


def test_the_first_retry_is_at_once() -> None:
    assert delay_after(1, uniform=highest) == timedelta(0)


def test_the_twelve_after_it_last_at_least_76_hours_with_the_luckiest_draws() -> None:
    assert len(RETRY_FLOORS) == 1 + 12
    assert timedelta(hours=76) <= span(lowest) <= timedelta(hours=77)
    assert span(highest) == 2 * span(lowest)


def test_each_pause_is_longer_than_the_one_before() -> None:
    assert list(RETRY_FLOORS) == sorted(set(RETRY_FLOORS))


@given(failures, draws)
def test_a_delay_is_its_floor_and_up_to_as_much_again(failed: int, draw: float) -> None:
    delay = delay_after(failed, uniform=lambda low, high: low + draw * (high - low))
    assert delay is not None
    assert RETRY_FLOORS[failed - 1] <= delay <= 2 * RETRY_FLOORS[failed - 1]


@given(failures, wishes, st.integers())
def test_a_wish_is_granted_up_to_an_hour_and_never_shortens(failed: int, wish: timedelta, seed: int) -> None:
    own = delay_after(failed, uniform=random.Random(seed).uniform)
    asked = delay_after(failed, retry_after=wish, uniform=random.Random(seed).uniform)
    assert own is not None
    assert asked is not None
    assert asked >= max(own, min(wish, HOUR))
    assert asked <= max(own, 1.1 * LONGEST_RETRY_AFTER)


@given(wishes)
def test_no_wish_adds_an_attempt(wish: timedelta) -> None:
    assert delay_after(MOST_ATTEMPTS, retry_after=wish) is None


@given(st.integers(MOST_ATTEMPTS, 200), st.timedeltas(max_value=LEAST_SPAN - timedelta(microseconds=1)), draws)
def test_what_was_hurried_to_the_end_of_the_list_is_tried_on_until_76_hours_are_over(failed: int, age: timedelta, draw: float) -> None:
    delay = delay_after(failed, age=age, uniform=lambda low, high: low + draw * (high - low))
    assert delay is not None
    assert RETRY_FLOORS[-1] <= delay <= 2 * RETRY_FLOORS[-1]
    assert delay_after(failed, age=LEAST_SPAN) is None


@pytest.mark.parametrize("wish", [timedelta(0), timedelta(seconds=1), timedelta(minutes=5), HOUR, timedelta.max])
def test_a_thousand_told_the_same_moment_do_not_come_back_in_one_second(wish: timedelta) -> None:
    uniform = random.Random(20261123).uniform
    delays = [delay_after(1, retry_after=wish, uniform=uniform) for _ in range(1000)]
    by_second = Counter(delay // timedelta(seconds=1) for delay in delays if delay is not None)
    assert by_second.total() == 1000
    assert max(by_second.values()) < 150  # spread evenly over ten seconds it would be 100


def test_without_a_failure_there_is_nothing_to_wait_for() -> None:
    with pytest.raises(ValueError, match="there were 0"):
        delay_after(0)
