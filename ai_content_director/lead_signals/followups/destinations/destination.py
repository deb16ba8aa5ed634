"""A destination: somebody who can be told. The one interface between the worker and everything that leaves the house."""

from datetime import datetime
from typing import Protocol

from lead_signals.followups.outcome import Outcome


class Destination(Protocol):
    """Somebody who receives follow-ups."""

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        """One attempt: the frozen body of the follow-up contract, begun at this moment.

        Ends within the total timeout of an attempt. Every failure is an outcome; only `asyncio.CancelledError` is ever raised.
        """
        ...
