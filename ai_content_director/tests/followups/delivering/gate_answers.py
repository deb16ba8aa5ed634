"""What endpoints answer to a gate, and the clock it goes by."""

from datetime import timedelta
from uuid import UUID

from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.outcome import Outcome, OutcomeKind

N8N, SLACK = UUID(int=1), UUID(int=2)

TAKEN = Outcome(OutcomeKind.DELIVERED, http_status=200)
REFUSED = Outcome(OutcomeKind.TRY_AGAIN, error_class="ConnectionRefused")
TIMED_OUT = Outcome(OutcomeKind.TRY_AGAIN, error_class="Timeout")
BROKEN = Outcome(OutcomeKind.TRY_AGAIN, http_status=500, error_class="HTTP500")
NOT_FOUND = Outcome(OutcomeKind.TRY_AGAIN, http_status=404, error_class="HTTP404")
TOO_MANY = Outcome(OutcomeKind.TRY_AGAIN, http_status=429, error_class="HTTP429")
GONE = Outcome(OutcomeKind.GIVE_UP, http_status=410, error_class="HTTP410")


def busy(seconds: float, status: int = 429) -> Outcome:
    return Outcome(OutcomeKind.TRY_AGAIN, http_status=status, error_class=f"HTTP{status}", retry_after=timedelta(seconds=seconds))


class Clock:
    """Seconds that the test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def one(gates: EndpointGates, outcome: Outcome | None, endpoint: UUID = N8N) -> None:
    """One attempt, from its begin to its end."""
    gates.begin(endpoint)
    gates.end(endpoint, outcome)


def shut(gates: EndpointGates, endpoint: UUID = N8N) -> None:
    """Five failures in a row."""
    for _ in range(5):
        assert gates.room(endpoint) > 0
        one(gates, REFUSED, endpoint)
    assert gates.room(endpoint) == 0


def without_jitter(low: float, high: float) -> float:
    """Pauses are as short as they may be."""
    return low
