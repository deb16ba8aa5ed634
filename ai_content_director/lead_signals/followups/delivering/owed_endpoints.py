"""Owed endpoints: to whom something is due, and how the free hands are shared among them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from lead_signals.followups.delivering.claim_deliveries import Share
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery, Moment, databases_clock
from lead_signals.tenancy.tenant_session import AcrossTenantsSession

FIRST_FEW: Final = 2  # rows in hand that an endpoint may always have, as long as there is a hand at all


def _none_in_hand(_: UUID) -> int:
    return 0


class OwedEndpoints:
    """One worker's knowledge. It is looked up anew at a wake-up and at each poll, not at each claim.

    Between two looks an endpoint is struck off when a claim found less than it asked for, and put back when a failure is due again.
    """

    def __init__(self) -> None:
        self._owed: dict[UUID, None] = {}  # in the order of their turns
        self._fresh_had_the_last: set[UUID] = set()  # of those who get a single hand at a time

    async def look(self, session: AcrossTenantsSession, *, now: Moment = databases_clock) -> None:
        """Ask whom something is due. Who had its turn lately stays behind the others."""
        found = set((await session.execute(_OWED, {"now": now()})).scalars())
        in_order = [known for known in self._owed if known in found]
        self._owed = dict.fromkeys([*in_order, *sorted(found - self._owed.keys())])
        self._fresh_had_the_last &= found

    def add(self, endpoint_id: UUID) -> None:
        """Something became due there."""
        self._owed.setdefault(endpoint_id)

    def share_out(
        self,
        hands: int,
        room: Callable[[UUID], int],
        *,
        beyond_few: int | None = None,
        in_hand: Callable[[UUID], int] = _none_in_hand,
    ) -> list[Share]:
        """Share free hands among the endpoints with room; each gets as much as any other, or all it has room for. Those served go last.

        `beyond_few` of the hands, or all, may take what is more than FIRST_FEW of one endpoint, those `in_hand` already counted: the rest
        is a reserve, so that nobody waits for the timeouts of others. Half of a share is for fresh follow-ups; of a single hand it is every
        other turn of this endpoint, so that neither lane waits for ever.
        """
        rooms = {endpoint_id: free for endpoint_id in self._owed if (free := room(endpoint_id)) > 0}
        few = _fairly(hands, {endpoint_id: min(free, FIRST_FEW - in_hand(endpoint_id)) for endpoint_id, free in rooms.items()})
        hands -= sum(few.values())
        more = _fairly(
            hands if beyond_few is None else min(hands, beyond_few),
            {endpoint_id: free - few.get(endpoint_id, 0) for endpoint_id, free in rooms.items()},
        )
        shares = [
            Share(endpoint_id, most, self._fresh_of(endpoint_id, most))
            for endpoint_id in rooms
            if (most := few.get(endpoint_id, 0) + more.get(endpoint_id, 0)) > 0
        ]
        for share in shares:
            self._owed[share.endpoint_id] = self._owed.pop(share.endpoint_id)
        return shares

    def _fresh_of(self, endpoint_id: UUID, most: int) -> int:
        if most > 1:
            return most // 2
        if endpoint_id in self._fresh_had_the_last:
            self._fresh_had_the_last.remove(endpoint_id)
            return 0
        self._fresh_had_the_last.add(endpoint_id)
        return 1

    def note(self, shares: Sequence[Share], claimed: Sequence[ClaimedDelivery]) -> None:
        """Strike off who had less due than was asked for: until the next look there is nothing more."""
        taken: dict[UUID, int] = {}
        for delivery in claimed:
            taken[delivery.endpoint_id] = taken.get(delivery.endpoint_id, 0) + 1
        for share in shares:
            if taken.get(share.endpoint_id, 0) < share.most:
                self._owed.pop(share.endpoint_id, None)


def _fairly(hands: int, rooms: Mapping[UUID, int]) -> dict[UUID, int]:
    """As much for one as for any other, or all it has room for. With too few hands for a single one each, the first in order get them."""
    in_turn = [(free, endpoint_id) for endpoint_id, free in rooms.items() if free > 0][: max(hands, 0)]
    given = {}
    for position, (free, endpoint_id) in enumerate(sorted(in_turn)):
        given[endpoint_id] = min(free, hands // (len(in_turn) - position))
        hands -= given[endpoint_id]
    return given


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
