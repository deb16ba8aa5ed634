"""A settlement: what shall stand in a follow-up's row when we let go of it, and the attempt that is written down beside it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import delay_after


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending: when it began, how long it took, how it ended."""

    started_at: datetime
    duration_ms: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Settlement:
    """The state we want. A cancellation that was asked for meanwhile changes any but `delivered` when it is written.

    `due_in`: from the moment it is written; None leaves the time it was due. `claims_back`: claims that shall not have been.
    """

    delivery: ClaimedDelivery
    state: FollowUpState
    failures: int
    due_in: timedelta | None = None
    attempt: Attempt | None = None
    claims_back: int = 0


def after_attempt(delivery: ClaimedDelivery, attempt: Attempt) -> Settlement:
    """Delivered, due again by the schedule, or dead."""
    if attempt.outcome.kind is OutcomeKind.DELIVERED:
        return Settlement(delivery, FollowUpState.DELIVERED, delivery.failures, attempt=attempt)
    failures = delivery.failures + 1
    is_final = attempt.outcome.kind is OutcomeKind.GIVE_UP
    age = attempt.started_at - (delivery.begun_at or attempt.started_at)
    due_in = None if is_final else delay_after(failures, age=age, retry_after=attempt.outcome.retry_after)
    state = FollowUpState.DEAD if due_in is None else FollowUpState.RETRYING
    return Settlement(delivery, state, failures, due_in, attempt)


def without_attempt(delivery: ClaimedDelivery, state: FollowUpState) -> Settlement:
    """It ends without having been sent."""
    return Settlement(delivery, state, delivery.failures)


def given_back(delivery: ClaimedDelivery) -> Settlement:
    """As if it had not been taken: another worker may have it at once."""
    return Settlement(delivery, FollowUpState(delivery.state_before), delivery.failures, claims_back=1)
