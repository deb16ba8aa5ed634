"""Where nothing is sent to, and why in one word: what an endpoint says today may be allowed, or configured, tomorrow."""

from dataclasses import dataclass
from datetime import datetime

from lead_signals.followups.outcome import Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class NeverSent:
    """A destination that cannot be reached from here."""

    error_class: str

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        """Always the same failure, at once."""
        return Outcome(OutcomeKind.TRY_AGAIN, error_class=self.error_class)
