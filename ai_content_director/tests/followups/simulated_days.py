"""Days of follow-ups in seconds: workers with the real gates and the real schedule, a receiver of limited speed, a clock that jumps.

Nothing waits: an event is a moment and what happens then, and the clock goes from one to the next.
"""

import heapq
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.follow_up import webhook_id
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import delay_after

ENDPOINT = UUID(int=1)
TIMEOUT_SECONDS = 5.0
TAKEN = Outcome(OutcomeKind.DELIVERED, http_status=200)
TIMED_OUT = Outcome(OutcomeKind.TRY_AGAIN, error_class="Timeout")


@dataclass(frozen=True, slots=True)
class Away:
    """What whoever calls a receiver that is away hears, and after how many seconds."""

    outcome: Outcome
    after_seconds: float


@dataclass(slots=True)
class Owed:
    """One follow-up as its row would tell it. Moments are seconds of the simulated clock; `keys` are those its attempts carried."""

    id: UUID
    promised_at: float
    begun_at: float | None = None
    attempts: int = 0
    failures: int = 0
    keys: set[str] = field(default_factory=set)
    waits: int = 0  # how often it began to wait; a moment that was hurried past means nothing any more
    is_waiting: bool = False
    delivered_at: float | None = None
    dead: bool = False


class SimulatedReceiver:
    """Takes `hands` at a time, each for 30 to 70 ms; the rest wait in line. Away between two moments."""

    def __init__(self, hands: int, away_from: float, away_until: float, away: Away, random: random.Random) -> None:
        self._free_at = [0.0] * hands
        self._away_from, self._away_until, self._away = away_from, away_until, away
        self._random = random
        self.took: list[tuple[float, str]] = []

    def call(self, key: str, now: float) -> tuple[float, Outcome]:
        """When the caller knows, and what."""
        if self._away_from <= now < self._away_until:
            return now + self._away.after_seconds, self._away.outcome
        begins = max(now, heapq.heappop(self._free_at))
        ends = begins + self._random.uniform(0.03, 0.07)
        heapq.heappush(self._free_at, ends)
        self.took.append((ends, key))
        return (ends, TAKEN) if ends <= now + TIMEOUT_SECONDS else (now + TIMEOUT_SECONDS, TIMED_OUT)


class SimulatedDays:
    """One queue, the oldest due first, and workers with a gate each. `run` goes on until nothing is owed any more."""

    def __init__(self, promised_at: Sequence[float], receiver: SimulatedReceiver, *, workers: int, random: random.Random) -> None:
        self.now = 0.0
        self.owed = [Owed(UUID(int=number + 1), at) for number, at in enumerate(promised_at)]
        self.called_at: list[float] = []
        self._receiver = receiver
        self._random = random
        self._workers = [EndpointGates(monotonic=lambda: self.now, uniform=random.uniform) for _ in range(workers)]
        self._wakes_at = [0.0] * workers
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._due: list[tuple[float, int, Owed]] = []
        self._counted = 0
        for one in self.owed:
            self._at(one.promised_at, lambda one=one: self._make_due(one))  # type: ignore[misc]

    def run(self) -> None:
        """Let everything happen."""
        while self._events:
            self.now, _, happen = heapq.heappop(self._events)
            happen()
            self._send_what_is_due()

    def _send_what_is_due(self) -> None:
        if not self._due:
            return
        for number in self._random.sample(range(len(self._workers)), len(self._workers)):
            gates = self._workers[number]
            while self._due and gates.room(ENDPOINT) > 0:
                self._attempt(gates, heapq.heappop(self._due)[2])
            opens_in = gates.opens_in()
            if self._due and opens_in is not None and self._wakes_at[number] <= self.now:
                self._wakes_at[number] = self.now + opens_in
                self._at(self._wakes_at[number], lambda: None)

    def _attempt(self, gates: EndpointGates, one: Owed) -> None:
        gates.begin(ENDPOINT)
        one.begun_at = self.now if one.begun_at is None else one.begun_at
        one.attempts += 1
        one.keys.add(key := webhook_id(one.id))
        self.called_at.append(self.now)
        known_at, outcome = self._receiver.call(key, self.now)
        self._at(known_at, lambda: self._settle(gates, one, outcome))

    def _settle(self, gates: EndpointGates, one: Owed, outcome: Outcome) -> None:
        is_back = gates.end(ENDPOINT, outcome)
        if outcome.kind is OutcomeKind.DELIVERED:
            one.delivered_at = self.now
        else:
            self._wait(one, outcome)
        if is_back:
            for late in [late for late in self.owed if late.is_waiting]:
                self._make_due(late)

    def _wait(self, one: Owed, outcome: Outcome) -> None:
        one.failures += 1
        age = timedelta(seconds=self.now - (one.begun_at or 0.0))
        delay = delay_after(one.failures, age=age, retry_after=outcome.retry_after, uniform=self._random.uniform)
        if delay is None:
            one.dead = True
            return
        one.waits += 1
        one.is_waiting = True
        this_wait = one.waits
        self._at(self.now + delay.total_seconds(), lambda: self._make_due(one) if one.is_waiting and one.waits == this_wait else None)

    def _make_due(self, one: Owed) -> None:
        one.is_waiting = False
        self._counted += 1
        heapq.heappush(self._due, (self.now, self._counted, one))

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        self._counted += 1
        heapq.heappush(self._events, (moment, self._counted, happen))


def most_in_a_second(moments: Sequence[float]) -> int:
    """The fullest second of all, wherever it begins."""
    in_order = sorted(moments)
    return max((bisect_left(in_order, moment + 1.0) - number for number, moment in enumerate(in_order)), default=0)
