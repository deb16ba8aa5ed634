"""A gate before each endpoint: it opens slowly, and shuts after failures in a row, so that nobody else waits for a receiver that is away.

It is TCP's way of finding out how much a road carries: twice as many each time all is well, half as many when the receiver groans, and
from where it groaned only one more at a time. A shut gate costs no follow-up a try: only its probes do.
"""

import random
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from lead_signals.followups.outcome import Outcome, OutcomeKind

SMALL_WINDOW: Final = 2

# A 4xx may speak of one message alone, and such a message fails all 14 times without anybody else being hurt: 20 of them in a row, with
# nothing taken in between, speak of the endpoint (a workflow switched off is a 404 for everyone). A failure of the endpoint weighs four.
SHUT_AT_WEIGHT: Final = 20
WEIGHT_OF_ENDPOINT: Final = 4
WEIGHT_OF_MESSAGE: Final = 1

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 60.0  # what a receiver asks for beyond it, each follow-up waits for by its own schedule
JITTER_SHARE: Final = 0.25  # on top: the workers' probes drift apart

# What waits at an endpoint that is back is hurried, and each hurry may cost it a try: not for a short while, and not each time a receiver
# that refuses some follow-ups takes another.
LONG_SHUT_SECONDS: Final = 60.0
HURRY_EVERY_SECONDS: Final = 3600.0

FORGET_AFTER_SECONDS: Final = 3600.0

TIMEOUT: Final = "Timeout"  # `error_class` of an attempt that ran out of time
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503
SPEAK_OF_THE_ENDPOINT: Final = (408, 425, TOO_MANY)  # the 4xx that say "not now" and nothing about the message
OVERLOADED: Final = (*SPEAK_OF_THE_ENDPOINT, 502, UNAVAILABLE, 504)
REFUSED_MAIL: Final = "SMTP5"  # `error_class` of a mail server that is there and does not want this begins so


class EndpointGates:
    """The gates of one worker, by endpoint. Plain memory, no tasks: ask `room`, tell `begin` and `end`.

    `begin` for each attempt of the room you use, and `end` for each begun, always. What is begun beyond the room is counted and does no
    harm but to the receiver. `monotonic` gives seconds that only grow, `uniform` draws a number between two.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        most_at_once: int = 20,
    ) -> None:
        if most_at_once < 1:
            raise ValueError(f"most_at_once is {most_at_once}: nothing would ever be sent; give at least 1")
        self._monotonic = monotonic
        self._uniform = uniform
        self._most_at_once = most_at_once
        self._gates: dict[UUID, _Gate] = {}
        self._shut: dict[UUID, _Gate] = {}
        self._met: set[UUID] = set()  # gates that were forgotten: whoever is quiet for an hour is not hurried by each lead that comes then
        self._next_sweep = monotonic() + FORGET_AFTER_SECONDS

    def room(self, endpoint_id: UUID) -> int:
        """How many more attempts may begin at this endpoint now."""
        gate = self._gates.get(endpoint_id)
        return min(SMALL_WINDOW, self._most_at_once) if gate is None else gate.room(self._monotonic())

    def begin(self, endpoint_id: UUID) -> None:
        """One attempt begins."""
        now = self._monotonic()
        self._forget_the_idle(now)
        gate = self._gates.get(endpoint_id)
        if gate is None:
            gate = self._gates[endpoint_id] = _Gate(self._most_at_once, now, is_new=endpoint_id not in self._met)
        gate.begin(now)

    def end(self, endpoint_id: UUID, outcome: Outcome | None) -> bool:
        """One attempt that began has ended so; None: nothing was sent after all.

        True when what waits for its next try there had better be hurried: this was taken, and it is the first since the gate was shut for
        a minute or more, or since we know of the endpoint. At most once an hour for one endpoint; what is put off by that is not forgotten.
        """
        gate, now = self._gates[endpoint_id], self._monotonic()
        gate.end(outcome, now, self._uniform)
        if gate.is_open:
            self._shut.pop(endpoint_id, None)
        else:
            self._shut[endpoint_id] = gate
        return outcome is not None and outcome.kind is OutcomeKind.DELIVERED and gate.is_open and gate.takes_hurry(now)

    def opens_in(self) -> float | None:
        """Seconds until the next shut gate lets one through; None when no gate waits for its time.

        A gate whose time has come counts no more: `room` says 1 until somebody goes through it.
        """
        now = self._monotonic()
        return min((gate.shut_until - now for gate in self._shut.values() if gate.shut_until > now), default=None)

    def _forget_the_idle(self, now: float) -> None:
        """Endpoints come and go for as long as the worker lives. A gate idle for an hour has nothing to tell.

        Of an open one it stays known that we met the endpoint.
        """
        if now < self._next_sweep:
            return
        self._next_sweep = now + FORGET_AFTER_SECONDS
        for endpoint_id in [endpoint_id for endpoint_id, gate in self._gates.items() if gate.is_idle(now)]:
            if self._gates.pop(endpoint_id).is_open:
                self._met.add(endpoint_id)
            self._shut.pop(endpoint_id, None)


class _Gate:
    """Open with a window, or shut until a moment and then passable for one probe at a time."""

    def __init__(self, most_at_once: int, now: float, *, is_new: bool) -> None:
        self._most_at_once = most_at_once
        self._window = float(min(SMALL_WINDOW, most_at_once))
        self._groaned_at = float(most_at_once)  # up to here the window doubles, above it takes one more each round
        self._same_crowd = 0  # answers still to come of attempts that ran when the window was halved: they tell nothing new
        self._in_flight = 0
        self._weight = 0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._probing = False
        self._moved_at = now
        self._shut_since = now
        self._owes_hurry = is_new  # who does not know the endpoint cannot tell how long it was away
        self._hurry_from = now
        self.is_open = True
        self.shut_until = now

    def room(self, now: float) -> int:
        if self.is_open:
            return max(0, int(self._window) - self._in_flight)
        # Attempts from before it shut are waited for, so that the probe is alone and the answer is its own.
        return 1 if now >= self.shut_until and self._in_flight == 0 else 0

    def begin(self, now: float) -> None:
        self._probing = self._probing or (not self.is_open and self.room(now) == 1)
        self._in_flight += 1
        self._moved_at = now

    def end(self, outcome: Outcome | None, now: float, uniform: Callable[[float, float], float]) -> None:
        """Hear how one ended. An answer that comes late, when the gate is shut and it was no probe, neither opens nor shuts anything."""
        self._in_flight -= 1
        self._moved_at = now
        was_probe, self._probing = self._probing, False
        of_the_same_crowd = self._same_crowd > 0
        self._same_crowd = max(0, self._same_crowd - 1)
        if outcome is None:
            return
        if self.is_open:
            self._hear(outcome, now, uniform, of_the_same_crowd)
        elif was_probe:
            self._hear_probe(outcome, now, uniform)
        elif _asks_for_quiet(outcome):
            self.shut_until = max(self.shut_until, now + self._pause_for(outcome, uniform))

    def takes_hurry(self, now: float) -> bool:
        """Whether what waits is to be hurried now; then not again for an hour."""
        if not self._owes_hurry or now < self._hurry_from:
            return False
        self._owes_hurry, self._hurry_from = False, now + HURRY_EVERY_SECONDS
        return True

    def is_idle(self, now: float) -> bool:
        return self._in_flight == 0 and now - self._moved_at >= FORGET_AFTER_SECONDS

    def _hear(self, outcome: Outcome, now: float, uniform: Callable[[float, float], float], of_the_same_crowd: bool) -> None:
        if outcome.kind is OutcomeKind.DELIVERED:
            self._weight = 0
            # One more for each good answer doubles the window in the time of one round.
            step = 1 if self._window < self._groaned_at else 1 / self._window
            self._window = min(self._window + step, self._most_at_once)
            return
        self._weight += _weight(outcome)
        if _groans(outcome) and not of_the_same_crowd:
            self._window = self._groaned_at = max(1.0, self._window / 2)
            self._same_crowd = self._in_flight
        if self._weight >= SHUT_AT_WEIGHT or _asks_for_quiet(outcome):
            self._shut_since = now
            self._shut(now + self._pause_for(outcome, uniform))

    def _hear_probe(self, outcome: Outcome, now: float, uniform: Callable[[float, float], float]) -> None:
        """Only a follow-up that was taken opens: a 4xx may be one message's, and then the next probe tells."""
        if outcome.kind is OutcomeKind.DELIVERED:
            self.is_open = True
            self._owes_hurry = self._owes_hurry or now - self._shut_since >= LONG_SHUT_SECONDS
            self._weight = 0
            self._window = float(min(SMALL_WINDOW, self._most_at_once))
            self._pause_seconds = FIRST_PAUSE_SECONDS
            return
        # Who answers is there, and refuses perhaps this one alone: of sixty such each would cost those behind it a minute.
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS) if _is_silent(outcome) else FIRST_PAUSE_SECONDS
        self._shut(now + self._pause_for(outcome, uniform))

    def _shut(self, until: float) -> None:
        self.is_open = False
        self.shut_until = until

    def _pause_for(self, outcome: Outcome, uniform: Callable[[float, float], float]) -> float:
        asked = outcome.retry_after.total_seconds() if outcome.retry_after is not None and _asks_for_quiet(outcome) else 0.0
        seconds = max(self._pause_seconds, min(asked, LONGEST_PAUSE_SECONDS))
        return seconds + uniform(0, seconds * JITTER_SHARE)


def _asks_for_quiet(outcome: Outcome) -> bool:
    """It said for how long it wants none, or that it never wants any again: its pause is on the way, and nobody else dies meanwhile."""
    if outcome.kind is OutcomeKind.GIVE_UP:
        return True
    return outcome.http_status in {TOO_MANY, UNAVAILABLE} and outcome.retry_after is not None


def _groans(outcome: Outcome) -> bool:
    """It is there, and we ask too much of it."""
    return outcome.error_class == TIMEOUT or outcome.http_status in {TOO_MANY, UNAVAILABLE}


def _is_silent(outcome: Outcome) -> bool:
    """It is not there, or it has too much to do to say anything of this follow-up."""
    if outcome.http_status is None:
        return not (outcome.error_class or "").startswith(REFUSED_MAIL)
    return outcome.error_class == TIMEOUT or outcome.http_status in OVERLOADED


def _weight(outcome: Outcome) -> int:
    status = outcome.http_status
    about_the_message = status is not None and status < 500 and status not in SPEAK_OF_THE_ENDPOINT
    return WEIGHT_OF_MESSAGE if about_the_message else WEIGHT_OF_ENDPOINT
