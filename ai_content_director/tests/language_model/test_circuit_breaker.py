"""A server that fails again and again is left alone; time is passed in."""

from lead_signals.language_model.circuit_breaker import FAILURES_TO_OPEN, OPEN_SECONDS, WITHIN_SECONDS, CircuitBreaker


class Clock:
    """Seconds as the test wants them."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def failing(clock: Clock, times: int, *, every_seconds: float = 1.0) -> CircuitBreaker:
    breaker = CircuitBreaker(clock)
    for _ in range(times):
        assert breaker.pause_seconds() == 0
        breaker.note(failed=True)
        clock.now += every_seconds
    return breaker


def test_five_failures_open_it_and_four_do_not() -> None:
    assert failing(Clock(), FAILURES_TO_OPEN - 1).pause_seconds() == 0
    assert failing(Clock(), FAILURES_TO_OPEN, every_seconds=0).pause_seconds() == OPEN_SECONDS


def test_failures_far_apart_do_not_open_it() -> None:
    apart = WITHIN_SECONDS / (FAILURES_TO_OPEN - 1) + 0.1
    assert failing(Clock(), 20, every_seconds=apart).pause_seconds() == 0


def test_an_answer_between_forgets_the_failures() -> None:
    breaker = failing(Clock(), FAILURES_TO_OPEN - 1)
    breaker.note(failed=False)
    breaker.note(failed=True)
    assert breaker.pause_seconds() == 0


def test_after_the_pause_one_is_let_through_and_decides_for_all() -> None:
    clock = Clock()
    breaker = failing(clock, FAILURES_TO_OPEN, every_seconds=0)
    clock.now += OPEN_SECONDS - 1
    assert breaker.pause_seconds() == 1
    clock.now += 1
    assert [breaker.pause_seconds() for _ in range(3)] == [0, OPEN_SECONDS, OPEN_SECONDS]
    breaker.note(failed=True)
    assert breaker.pause_seconds() == OPEN_SECONDS
    clock.now += OPEN_SECONDS
    assert breaker.pause_seconds() == 0
    breaker.note(failed=False)
    assert [breaker.pause_seconds() for _ in range(3)] == [0, 0, 0]


def test_one_that_never_tells_is_not_waited_for_for_ever() -> None:
    clock = Clock()
    breaker = failing(clock, FAILURES_TO_OPEN, every_seconds=0)
    clock.now += OPEN_SECONDS
    assert breaker.pause_seconds() == 0
    clock.now += OPEN_SECONDS
    assert breaker.pause_seconds() == 0
