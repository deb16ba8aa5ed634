"""Owed endpoints: to whom something is due, and how the free hands are shared among them."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import text

from lead_signals.followups.delivering.claim_deliveries import Share
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery, Moment, databases_clock
from lead_signals.tenancy.tenant_session import AcrossTenantsSession


class OwedEndpoints:
    """One worker's knowledge. It is looked up anew at a wake-up and at each poll, not at each claim.

    Between two looks an endpoint is struck off when a claim found less than it asked for, and put back when a failure is due again.
    """

    def __init__(self) -> None:
        self._owed: dict[UUID, None] = {}  # in the order of their turns
        self._odd = False

    async def look(self, session: AcrossTenantsSession, *, now: Moment = databases_clock) -> None:
        """Ask whom something is due. Who had its turn lately stays behind the others."""
        found = set((await session.execute(_OWED, {"now": now()})).scalars())
        in_order = [known for known in self._owed if known in found]
        self._owed = dict.fromkeys([*in_order, *sorted(found - self._owed.keys())])

    def add(self, endpoint_id: UUID) -> None:
        """Something became due there."""
        self._owed.setdefault(endpoint_id)

    def share_out(self, hands: int, room: Callable[[UUID], int]) -> list[Share]:
        """Share free hands among the endpoints with room; each gets as much as any other, or all it has room for. Those served go last.

        Half of a share is for fresh follow-ups; of a single hand it is every other turn, so that neither lane waits for ever.
        """
        rooms = [(endpoint_id, free) for endpoint_id in self._owed if (free := room(endpoint_id)) > 0][: max(hands, 0)]
        shares = []
        for position, (endpoint_id, free) in enumerate(sorted(rooms, key=_free)):
            most = min(free, hands // (len(rooms) - position))
            hands -= most
            self._odd = not self._odd
            shares.append(Share(endpoint_id, most, max(most // 2, int(self._odd and most == 1))))
        for endpoint_id, _ in rooms:
            self._owed[endpoint_id] = self._owed.pop(endpoint_id)
        return shares

    def note(self, shares: Sequence[Share], claimed: Sequence[ClaimedDelivery]) -> None:
        """Strike off who had less due than was asked for: until the next look there is nothing more."""
        taken: dict[UUID, int] = {}
        for delivery in claimed:
            taken[delivery.endpoint_id] = taken.get(delivery.endpoint_id, 0) + 1
        for share in shares:
            if taken.get(share.endpoint_id, 0) < share.most:
                self._owed.pop(share.endpoint_id, None)


def _free(endpoint_and_room: tuple[UUID, int]) -> int:
    return endpoint_and_room[1]


# From one endpoint to the next through ix_follow_ups_due: a step for each endpoint, however many follow-ups wait there.
_OWED = text("""
    WITH RECURSIVE endpoint AS (
        (SELECT f.endpoint_id, coalesce(f.lease_until, f.due_at) AS due_at FROM follow_ups f WHERE f.finished_at IS NULL
         ORDER BY f.endpoint_id, coalesce(f.lease_until, f.due_at), f.id LIMIT 1)
        UNION ALL
        SELECT next.endpoint_id, next.due_at FROM endpoint CROSS JOIN LATERAL (
            SELECT f.endpoint_id, coalesce(f.lease_until, f.due_at) AS due_at FROM follow_ups f
            WHERE f.finished_at IS NULL AND f.endpoint_id > endpoint.endpoint_id
            ORDER BY f.endpoint_id, coalesce(f.lease_until, f.due_at), f.id LIMIT 1
        ) next
    )
    SELECT endpoint_id FROM endpoint WHERE due_at <= coalesce(CAST(:now AS timestamptz), now())""")
