"""One delivery after the other, as the worker does them, without its loop: claimed, sent to a destination of the test, settled."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.delivering.claim_deliveries import Share, claim_deliveries
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery
from lead_signals.followups.delivering.deliver import Desk, deliver
from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.delivering.settle_line import SettleLine
from lead_signals.followups.delivering.turns import Turns
from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.tenancy.tenant_session import across_tenants_session

DELIVERED = Outcome(OutcomeKind.DELIVERED, http_status=200)
TRY_AGAIN = Outcome(OutcomeKind.TRY_AGAIN, http_status=503, error_class="HTTP503")
GIVE_UP = Outcome(OutcomeKind.GIVE_UP, http_status=410, error_class="HTTP410")


class Answering:
    """A destination with one answer, that does something before it says so. `ids`: the webhook-id of each call."""

    def __init__(self, outcome: Outcome = DELIVERED, meanwhile: Callable[[], Awaitable[object]] | None = None) -> None:
        self.ids: list[str] = []
        self._outcome = outcome
        self._meanwhile = meanwhile

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        self.ids.append(webhook_id)
        if self._meanwhile is not None:
            await self._meanwhile()
        return self._outcome


class Everybody:
    """Endpoints that all lead to one destination, unless they were paused."""

    def __init__(self, destination: Destination) -> None:
        self.paused: list[UUID] = []
        self._destination = destination

    def destination(self, endpoint_id: UUID) -> Destination | None:
        return None if endpoint_id in self.paused else self._destination

    async def pause(self, tenant_id: UUID, endpoint_id: UUID) -> None:
        self.paused.append(endpoint_id)


def desk_of(engine: AsyncEngine, destination: Destination, *, gates: EndpointGates | None = None) -> Desk:
    """A desk with gates that nobody has gone through."""
    return Desk(Everybody(destination), Turns(gates or EndpointGates()), SettleLine(engine))


async def deliver_to(engine: AsyncEngine, destination: Destination, delivery: ClaimedDelivery) -> FollowUpState | None:
    """What the worker does with one, by itself."""
    return await deliver(desk_of(engine, destination), delivery)


async def claim(
    engine: AsyncEngine,
    *,
    most: int = 100,
    fresh: int = 0,
    endpoint_id: UUID = OPERATORS_ENDPOINT,
    lease_seconds: float = 20,
    rescue: bool = True,
) -> list[ClaimedDelivery]:
    """Due follow-ups of one endpoint, in the order of their ids."""
    async with across_tenants_session(engine) as session:
        claimed = await claim_deliveries(session, [Share(endpoint_id, most, fresh)], lease_seconds=lease_seconds, rescue=rescue)
    return sorted(claimed, key=lambda delivery: delivery.id)


async def claim_one(engine: AsyncEngine, *, lease_seconds: float = 20) -> ClaimedDelivery:
    """The oldest due one."""
    (delivery,) = await claim(engine, most=1, lease_seconds=lease_seconds)
    return delivery
