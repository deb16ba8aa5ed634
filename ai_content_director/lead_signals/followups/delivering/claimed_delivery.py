"""A claimed delivery: one follow-up in our hands, with everything that sending and settling it need, so that no read follows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from lead_signals.database.lease import Claim

Moment: TypeAlias = Callable[[], datetime | None]
"""What the statements take for now. In work nothing, which means the database's clock; a test that replays days hands in its own."""


def databases_clock() -> None:
    """The Moment of everybody who is in the present."""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery(Claim):
    """`failures`: answered ones before this. `begun_at`: when the first of them began, by the clock of whoever sent it; None before it.
    `last_recorded`: the newest attempt written down, told only where crashes may be too many.
    """

    endpoint_id: UUID
    body: bytes
    failures: int
    cancel_asked: bool
    begun_at: datetime | None
    last_recorded: int | None
