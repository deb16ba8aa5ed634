"""Keep one promise: send what is owed with no transaction open, tell the gate, write down what happened."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from lead_signals import clock
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery
from lead_signals.followups.delivering.settle_line import SettleLine
from lead_signals.followups.delivering.settlement import Attempt, after_attempt, given_back, without_attempt
from lead_signals.followups.delivering.turns import Turns
from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.follow_up import FollowUpState, webhook_id
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import CRASH_LIMIT
from lead_signals.log_context import get_logger

log = get_logger(__name__)

AT_ONCE: Final = timedelta(0)


class Endpoints(Protocol):
    """Whom this worker may call (`followups/endpoints/known_endpoints.py`)."""

    def destination(self, endpoint_id: UUID) -> Destination | None: ...

    async def pause(self, tenant_id: UUID, endpoint_id: UUID) -> None: ...


async def _nobody_waits(_: UUID) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Desk:
    """What all deliveries of one worker share.

    `due_again` is told where a failure is to be tried again at once, `hurry` makes due what waits at an endpoint that is back.
    """

    endpoints: Endpoints
    turns: Turns
    line: SettleLine
    now: Callable[[], datetime] = clock.now
    due_again: Callable[[UUID], None] = lambda _: None
    hurry: Callable[[UUID], Awaitable[int]] = _nobody_waits


async def deliver(desk: Desk, delivery: ClaimedDelivery) -> FollowUpState | None:
    """One attempt at one follow-up. Whatever happens is a row in delivery_attempts; the state moves only under our lease.

    Returns the state it is in now, or None when it was claimed again since.

    Whose lease is lost is cancelled, in the middle of a call too: that attempt is not recorded by us, for nobody heard how it ended. The
    receiver may have taken it, and hears of it once more from whoever has claimed it, under the same webhook-id; the number that is missing
    in delivery_attempts tells of it. An attempt that had ended before is recorded, and counts for nothing.
    """
    if delivery.cancel_asked:
        # Asked while a worker had it that died or gave it back.
        log.info("follow_up_cancelled", follow_up_id=str(delivery.id))
        return await desk.line.settle(without_attempt(delivery, FollowUpState.CANCELLED))
    if delivery.last_recorded is not None and delivery.attempts - delivery.last_recorded > CRASH_LIMIT:
        log.error("follow_up_dead", follow_up_id=str(delivery.id), reason="every attempt crashed its worker", attempts=delivery.attempts)
        return await desk.line.settle(without_attempt(delivery, FollowUpState.DEAD))
    sent = await _send(desk, delivery)
    if sent is None:
        return await desk.line.settle(given_back(delivery))
    attempt, is_back = sent
    settlement = after_attempt(delivery, attempt)
    if attempt.outcome.kind is OutcomeKind.GIVE_UP:  # first: whatever becomes of the settling, nobody calls there again
        await desk.endpoints.pause(delivery.tenant_id, delivery.endpoint_id)
    state = await desk.line.settle(settlement)
    if (state is FollowUpState.RETRYING and settlement.due_in == AT_ONCE) or (is_back and await desk.hurry(delivery.endpoint_id)):
        desk.due_again(delivery.endpoint_id)
    log.info(
        "follow_up_attempted",
        tenant_id=str(delivery.tenant_id),
        follow_up_id=str(delivery.id),
        attempt=delivery.attempts,
        outcome=attempt.outcome.kind.value,
        error=attempt.outcome.error_class,
        duration_ms=attempt.duration_ms,
        counted=state is not None,
    )
    return state


async def _send(desk: Desk, delivery: ClaimedDelivery) -> tuple[Attempt, bool] | None:
    """The attempt, and whether the endpoint is back, so that what waits there is hurried.

    None: since the claim the gate has shut, the endpoint was paused, or the worker was told to stop.
    """
    if not await desk.turns.begin(delivery.endpoint_id):
        return None
    outcome: Outcome | None = None
    started_at, began = desk.now(), time.monotonic()
    try:
        destination = desk.endpoints.destination(delivery.endpoint_id)
        if destination is not None:
            outcome = await destination.send(webhook_id(delivery.id), delivery.body, at=started_at)
    finally:
        is_back = desk.turns.end(delivery.endpoint_id, outcome)
    if outcome is None:
        return None
    return Attempt(started_at, round((time.monotonic() - began) * 1000), outcome), is_back
