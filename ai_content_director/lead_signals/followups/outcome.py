"""How an attempt ended, in the three words every destination answers with. Only the sender knows which failure is final."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class OutcomeKind(StrEnum):
    """What to do next: nothing; the same again; or nothing ever, for that endpoint takes no follow-up any more."""

    DELIVERED = "delivered"
    TRY_AGAIN = "try_again"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`error_class` says in one word why it was no delivery; `answer_head` is the first 2 KB of what the receiver said.

    `retry_after` is how long the receiver asks us to stay away: not negative, and as absurd as it likes.
    """

    kind: OutcomeKind
    http_status: int | None = None
    error_class: str | None = None
    answer_head: bytes | None = None
    retry_after: timedelta | None = None
