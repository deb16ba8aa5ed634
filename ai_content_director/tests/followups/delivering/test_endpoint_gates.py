"""A gate opens slowly, shuts when its endpoint is away, lets one try, and always opens again."""

from collections.abc import Callable
from uuid import UUID

import pytest

from lead_signals.followups.delivering.endpoint_gates import FORGET_AFTER_SECONDS, EndpointGates
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import MOST_ATTEMPTS
from tests.followups.delivering.gate_answers import (
    BROKEN,
    GONE,
    N8N,
    NOT_FOUND,
    REFUSED,
    SLACK,
    TAKEN,
    TIMED_OUT,
    TOO_MANY,
    Clock,
    busy,
    one,
    shut,
    without_jitter,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gates(clock: Clock) -> EndpointGates:
    return EndpointGates(monotonic=clock, uniform=without_jitter)


def crowd(gates: EndpointGates, outcomes: Callable[[int], Outcome], endpoint: UUID = N8N) -> int:
    """As many at once as there is room for, then all their answers; how many they were."""
    count = gates.room(endpoint)
    for _ in range(count):
        gates.begin(endpoint)
    for number in range(count):
        gates.end(endpoint, outcomes(number))
    return count


def seconds_shut(gates: EndpointGates) -> float:
    seconds = gates.opens_in()
    assert seconds is not None
    return seconds


def test_the_window_doubles_from_two_to_twenty(gates: EndpointGates) -> None:
    assert [crowd(gates, lambda _: TAKEN) for _ in range(6)] == [2, 4, 8, 16, 20, 20]


def test_room_is_what_is_not_yet_in_flight(gates: EndpointGates) -> None:
    gates.begin(N8N)
    assert gates.room(N8N) == 1
    gates.begin(N8N)
    assert gates.room(N8N) == 0
    gates.end(N8N, None)
    assert gates.room(N8N) == 1, "nothing was sent: the window is as it was"


def test_a_crowd_that_is_told_too_many_halves_the_window_once(gates: EndpointGates) -> None:
    for _ in range(5):
        crowd(gates, lambda _: TAKEN)
    assert gates.room(N8N) == 20
    crowd(gates, lambda number: TOO_MANY if number % 5 < 3 else TAKEN)
    assert 10 <= gates.room(N8N) < 20


@pytest.mark.parametrize("groan", [TIMED_OUT, TOO_MANY, Outcome(OutcomeKind.TRY_AGAIN, http_status=503)])
def test_from_where_it_groaned_the_window_grows_by_one_a_round(gates: EndpointGates, groan: Outcome) -> None:
    for _ in range(5):
        crowd(gates, lambda _: TAKEN)
    one(gates, groan)
    assert [crowd(gates, lambda _: TAKEN) for _ in range(4)] == [10, 10, 11, 12]  # a round's last answer makes it one more


def test_a_receiver_of_five_hands_finds_its_measure(gates: EndpointGates) -> None:
    sent = [crowd(gates, lambda number: TAKEN if number < 5 else TOO_MANY) for _ in range(300)]
    refused = sum(max(0, count - 5) for count in sent)
    assert refused / sum(sent) < 0.1, "one more each round, not twice as many"
    assert sum(sent) / len(sent) > 3.5


@pytest.mark.parametrize("failure", [REFUSED, TIMED_OUT, BROKEN, TOO_MANY, Outcome(OutcomeKind.TRY_AGAIN, http_status=408)])
def test_each_failure_of_the_endpoint_counts_alike(gates: EndpointGates, failure: Outcome) -> None:
    for _ in range(4):
        one(gates, failure)
    assert gates.room(N8N) >= 1
    one(gates, failure)
    assert gates.room(N8N) == 0


def test_five_failures_in_a_row_shut_it(gates: EndpointGates) -> None:
    for _ in range(3):
        for failure in (REFUSED, TIMED_OUT, BROKEN, TOO_MANY):
            one(gates, failure)
        one(gates, TAKEN)
    assert gates.room(N8N) >= 1
    shut(gates)
    assert gates.opens_in() == 5.0


def test_one_endpoint_does_not_wait_for_another(gates: EndpointGates) -> None:
    shut(gates)
    assert gates.room(SLACK) == 2
    assert crowd(gates, lambda _: TAKEN, SLACK) == 2
    assert gates.room(SLACK) == 4


def test_one_message_that_is_refused_to_its_death_shuts_nothing(gates: EndpointGates) -> None:
    for _ in range(MOST_ATTEMPTS):
        one(gates, NOT_FOUND)
    assert gates.room(N8N) == 2


def test_twenty_refusals_with_nothing_taken_between_shut_it(gates: EndpointGates) -> None:
    for _ in range(19):
        one(gates, NOT_FOUND)
    one(gates, TAKEN)
    for _ in range(19):
        one(gates, NOT_FOUND)
    assert gates.room(N8N) > 0
    one(gates, NOT_FOUND)
    assert gates.room(N8N) == 0


def test_after_the_pause_one_probe_at_a_time(gates: EndpointGates, clock: Clock) -> None:
    shut(gates)
    clock.now += 4.99
    assert gates.room(N8N) == 0
    clock.now += 0.02
    assert gates.room(N8N) == 1
    gates.begin(N8N)
    assert gates.room(N8N) == 0
    gates.end(N8N, None)
    assert gates.room(N8N) == 1, "the probe was not sent: the next one is"


def test_failed_probes_double_the_pause_up_to_a_minute(gates: EndpointGates, clock: Clock) -> None:
    shut(gates)
    pauses = []
    for _ in range(6):
        pauses.append(seconds_shut(gates))
        clock.now += pauses[-1]
        one(gates, TIMED_OUT)
    assert pauses == [5, 10, 20, 40, 60, 60]


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_who_has_too_much_to_do_is_left_alone_for_longer_each_time(gates: EndpointGates, clock: Clock, status: int) -> None:
    shut(gates)
    assert pauses_of(gates, clock, [Outcome(OutcomeKind.TRY_AGAIN, http_status=status, error_class=f"HTTP{status}")] * 3) == [5, 10, 20]


@pytest.mark.parametrize("refusal", [BROKEN, NOT_FOUND, Outcome(OutcomeKind.TRY_AGAIN, error_class="SMTP552")])
def test_who_is_there_and_refuses_is_asked_again_after_five_seconds(gates: EndpointGates, clock: Clock, refusal: Outcome) -> None:
    """Sixty that nobody ever takes would cost the good one behind them an hour at a minute each."""
    shut(gates)
    assert pauses_of(gates, clock, [refusal] * 4) == [5, 5, 5, 5]
    assert pauses_of(gates, clock, [TIMED_OUT, TIMED_OUT, refusal, TIMED_OUT]) == [5, 10, 20, 5], "whoever speaks again is there again"


def pauses_of(gates: EndpointGates, clock: Clock, answers: list[Outcome]) -> list[float]:
    """How long the gate was shut before each of these probes."""
    pauses = []
    for answer in answers:
        pauses.append(seconds_shut(gates))
        clock.now += pauses[-1]
        one(gates, answer)
    return pauses


def test_a_good_probe_opens_it_slowly_and_forgets_the_long_pauses(gates: EndpointGates, clock: Clock) -> None:
    crowd(gates, lambda _: TAKEN)
    shut(gates)
    for answer in (REFUSED, REFUSED, TAKEN):
        clock.now += seconds_shut(gates)
        one(gates, answer)
    assert gates.opens_in() is None
    assert [crowd(gates, lambda _: TAKEN) for _ in range(3)] == [2, 4, 8]
    shut(gates)
    assert gates.opens_in() == 5.0


def test_a_refused_message_is_no_good_probe(gates: EndpointGates, clock: Clock) -> None:
    shut(gates)
    clock.now += 5
    one(gates, NOT_FOUND)
    assert gates.opens_in() == 5.0


def test_a_probe_is_alone_and_late_answers_are_not_its_own(gates: EndpointGates, clock: Clock) -> None:
    for _ in range(3):
        crowd(gates, lambda _: TAKEN)
    for _ in range(7):
        gates.begin(N8N)
    for _ in range(5):
        gates.end(N8N, TIMED_OUT)
    clock.now += 5
    assert gates.room(N8N) == 0, "two from before are still on the way"
    gates.end(N8N, TAKEN)
    gates.end(N8N, BROKEN)
    assert gates.room(N8N) == 1, "neither of the two opened it or shut it for longer"


@pytest.mark.parametrize(("asked", "paused"), [(1, 5), (30, 30), (60, 60), (86_400, 60), (1e12, 60)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_says_how_long_is_left_alone_so_long(gates: EndpointGates, asked: float, paused: float, status: int) -> None:
    one(gates, busy(asked, status))
    assert gates.room(N8N) == 0
    assert gates.opens_in() == paused


def test_the_time_a_late_answer_asks_for_is_granted_too(gates: EndpointGates) -> None:
    gates.begin(N8N)
    gates.begin(N8N)
    gates.end(N8N, busy(10))
    gates.end(N8N, busy(45))
    assert gates.opens_in() == 45.0


def test_an_endpoint_that_is_gone_gets_nothing_more_until_its_pause_is_written(gates: EndpointGates) -> None:
    one(gates, GONE)
    assert gates.room(N8N) == 0


def test_probes_of_two_workers_drift_apart(clock: Clock) -> None:
    workers = [EndpointGates(monotonic=clock, uniform=lambda low, high, share=share: low + share * (high - low)) for share in (0.0, 1.0)]  # type: ignore[misc]
    for gates in workers:
        shut(gates)
    assert [seconds_shut(gates) for gates in workers] == [5.0, 6.25]


def test_the_next_gate_is_told_and_one_whose_time_has_come_is_not(gates: EndpointGates, clock: Clock) -> None:
    assert gates.opens_in() is None
    shut(gates)
    clock.now += 2
    shut(gates, SLACK)
    assert gates.opens_in() == 3.0
    clock.now += 3
    assert gates.opens_in() == 2.0, "the first is passable: waiting for it would be a wait of nothing, for ever"
    clock.now += 2
    assert gates.opens_in() is None


def test_endpoints_that_came_and_went_are_forgotten(clock: Clock, gates: EndpointGates) -> None:
    for number in range(500):
        one(gates, TAKEN, UUID(int=100 + number))
        one(gates, GONE, UUID(int=1000 + number))
    gates.begin(N8N)
    clock.now += FORGET_AFTER_SECONDS + 1
    one(gates, TAKEN, SLACK)
    clock.now += FORGET_AFTER_SECONDS + 1
    gates.begin(SLACK)
    assert set(gates._gates) == {N8N, SLACK}, "what is in flight is remembered"
    assert gates._shut == {}


def test_an_hour_of_one_endpoint_does_not_forget_what_it_learned(clock: Clock, gates: EndpointGates) -> None:
    for _ in range(100):
        crowd(gates, lambda _: TAKEN)
        clock.now += 60
    assert gates.room(N8N) == 20


def test_no_room_at_all_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="most_at_once is 0"):
        EndpointGates(most_at_once=0)
