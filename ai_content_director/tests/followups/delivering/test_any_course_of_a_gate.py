"""Whatever an endpoint answers and however long it takes, its gate keeps its promises."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lead_signals.followups.delivering.endpoint_gates import FORGET_AFTER_SECONDS, LONGEST_PAUSE_SECONDS, EndpointGates
from lead_signals.followups.outcome import Outcome
from tests.followups.delivering.gate_answers import BROKEN, GONE, N8N, NOT_FOUND, REFUSED, TAKEN, TIMED_OUT, TOO_MANY, Clock, busy, one

outcomes = st.sampled_from([TAKEN, REFUSED, TIMED_OUT, BROKEN, NOT_FOUND, TOO_MANY, GONE, busy(0), busy(17), busy(1e9), None])


class AnyCourse(RuleBasedStateMachine):
    """Any course of answers and waits, by a caller that keeps to the room. The gates' own promises hold at every step."""

    @initialize(most_at_once=st.integers(1, 25), draw=st.floats(0, 1))
    def begin_the_day(self, most_at_once: int, draw: float) -> None:
        self.clock = Clock()
        self.most_at_once = most_at_once
        self.gates = EndpointGates(monotonic=self.clock, uniform=lambda low, high: low + draw * (high - low), most_at_once=most_at_once)
        self.in_flight = 0
        self.failures_in_a_row = 0
        self.idle_since = self.clock.now

    @precondition(lambda self: self.gates.room(N8N) > 0)
    @rule(data=st.data())
    def send_some(self, data: st.DataObject) -> None:
        if self.clock.now - self.idle_since >= FORGET_AFTER_SECONDS:
            self.failures_in_a_row = 0  # forgotten, perhaps
        count = data.draw(st.integers(1, self.gates.room(N8N)))
        if N8N in self.gates._shut:
            assert count == 1
            assert self.in_flight == 0, "a probe is alone"
        for _ in range(count):
            self.gates.begin(N8N)
        self.in_flight += count

    @precondition(lambda self: self.in_flight > 0)
    @rule(outcome=outcomes)
    def hear_one(self, outcome: Outcome | None) -> None:
        self.gates.end(N8N, outcome)
        self.in_flight -= 1
        self.idle_since = self.clock.now
        if outcome is TAKEN:
            self.failures_in_a_row = 0
        elif outcome in (REFUSED, TIMED_OUT, BROKEN):
            self.failures_in_a_row += 1
            assert self.failures_in_a_row < 5 or self.gates.room(N8N) == 0

    @rule(seconds=st.floats(0, 4000))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def open_again(self) -> None:
        """From wherever it is: when all is answered and the pause is over, one good probe opens it."""
        for _ in range(self.in_flight):
            self.gates.end(N8N, None)
        self.in_flight = 0
        self.clock.now += self.gates.opens_in() or 0.0
        assert self.gates.room(N8N) >= 1
        one(self.gates, TAKEN)
        self.failures_in_a_row = 0
        assert self.gates.opens_in() is None
        assert self.gates.room(N8N) >= 1
        one(self.gates, TAKEN)
        assert self.gates.room(N8N) >= min(2, self.most_at_once)

    @invariant()
    def never_too_many(self) -> None:
        if hasattr(self, "gates"):
            assert 0 <= self.in_flight <= self.most_at_once
            assert 0 <= self.gates.room(N8N) <= self.most_at_once - self.in_flight

    @invariant()
    def never_shut_for_long(self) -> None:
        if hasattr(self, "gates"):
            assert 0 < (self.gates.opens_in() or 1.0) <= 1.25 * LONGEST_PAUSE_SECONDS


AnyCourse.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestAnyCourse = AnyCourse.TestCase
