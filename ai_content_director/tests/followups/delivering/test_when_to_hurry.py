"""When a gate says that what waits at its endpoint had better be hurried: after a long while, and not all the time."""

import pytest

from lead_signals.followups.delivering.endpoint_gates import FORGET_AFTER_SECONDS, HURRY_EVERY_SECONDS, LONG_SHUT_SECONDS, EndpointGates
from lead_signals.followups.outcome import Outcome
from tests.followups.delivering.gate_answers import BROKEN, N8N, REFUSED, SLACK, TAKEN, Clock, busy, shut, without_jitter


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gates(clock: Clock) -> EndpointGates:
    return EndpointGates(monotonic=clock, uniform=without_jitter)


def ends(gates: EndpointGates, outcome: Outcome) -> bool:
    """One attempt; whether what waits is to be hurried."""
    gates.begin(N8N)
    return gates.end(N8N, outcome)


def test_what_waits_is_hurried_when_an_endpoint_is_met_and_when_it_was_away_for_a_minute(gates: EndpointGates, clock: Clock) -> None:
    assert [ends(gates, answer) for answer in (REFUSED, TAKEN, TAKEN)] == [False, True, False]
    an_hour_passes(gates, clock)
    shut(gates)
    clock.now += LONG_SHUT_SECONDS
    assert [ends(gates, answer) for answer in (TAKEN, TAKEN)] == [True, False]


def test_after_a_short_pause_nothing_is_hurried(gates: EndpointGates, clock: Clock) -> None:
    ends(gates, TAKEN)
    an_hour_passes(gates, clock)
    shut(gates)
    clock.now += LONG_SHUT_SECONDS - 1
    assert not ends(gates, TAKEN)


def test_a_late_answer_of_before_hurries_nothing(gates: EndpointGates, clock: Clock) -> None:
    gates.begin(N8N)
    gates.begin(N8N)
    gates.end(N8N, busy(60))
    clock.now += LONG_SHUT_SECONDS
    assert not gates.end(N8N, TAKEN)
    assert ends(gates, TAKEN), "the probe does"


def an_hour_passes(gates: EndpointGates, clock: Clock) -> None:
    """And the endpoint takes something in the middle of it: of one that is idle so long nothing is remembered."""
    clock.now += HURRY_EVERY_SECONDS / 2
    assert not ends(gates, TAKEN)
    clock.now += HURRY_EVERY_SECONDS / 2


def test_a_receiver_that_takes_some_and_refuses_others_is_hurried_once_an_hour(gates: EndpointGates, clock: Clock) -> None:
    began, hurried_at = clock.now, []
    while clock.now < began + 3 * HURRY_EVERY_SECONDS:
        for answer in (TAKEN, BROKEN, BROKEN, BROKEN, BROKEN, BROKEN):
            if ends(gates, answer):
                hurried_at.append(clock.now - began)
        clock.now += LONG_SHUT_SECONDS
    assert hurried_at == [0, HURRY_EVERY_SECONDS, 2 * HURRY_EVERY_SECONDS]


def test_what_is_not_hurried_for_the_hour_is_when_it_is_over(gates: EndpointGates, clock: Clock) -> None:
    """The endpoint was away for a night, said hello, and was away for some minutes more: nobody waits for half a day because of that."""
    assert ends(gates, TAKEN)
    shut(gates)
    clock.now += LONG_SHUT_SECONDS
    assert not ends(gates, TAKEN)
    clock.now += HURRY_EVERY_SECONDS - LONG_SHUT_SECONDS - 1
    assert not ends(gates, TAKEN)
    clock.now += 1
    assert [ends(gates, TAKEN) for _ in range(2)] == [True, False]


def test_an_endpoint_that_is_quiet_for_hours_is_met_once_only(gates: EndpointGates, clock: Clock) -> None:
    assert ends(gates, TAKEN)
    for _ in range(3):
        clock.now += 3 * FORGET_AFTER_SECONDS
        assert not ends(gates, TAKEN), "it was forgotten, but not that it was well"


def test_of_an_endpoint_that_was_away_when_it_was_forgotten_nothing_is_known(gates: EndpointGates, clock: Clock) -> None:
    ends(gates, TAKEN)
    shut(gates)
    clock.now += 3 * FORGET_AFTER_SECONDS
    gates.begin(SLACK)
    gates.end(SLACK, TAKEN)
    assert ends(gates, TAKEN)
