"""Deliveries as the worker makes them: up to a thousand in hand, few at each endpoint, claimed where there is room."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.database.due_work import ClaimWish, DueWork
from lead_signals.followups.delivering.claim_deliveries import Share, claim_deliveries
from lead_signals.followups.delivering.claimed_delivery import ClaimedDelivery
from lead_signals.followups.delivering.deliver import Desk, Endpoints, deliver
from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.delivering.hurry_retries import hurry_retries
from lead_signals.followups.delivering.index_walks import walk_indexes
from lead_signals.followups.delivering.owed_endpoints import FIRST_FEW, OwedEndpoints
from lead_signals.followups.delivering.settle_line import SettleLine
from lead_signals.followups.delivering.turns import Turns
from lead_signals.followups.follow_up import FOLLOW_UP_WORK, FollowUpState, follow_ups
from lead_signals.tenancy.tenant_session import across_tenants_session

# A receiver that takes many and then hangs holds 40 rows, 20 of them before its gate, for a whole timeout. Thirteen such may hold half of
# the hands and no more; the other half is a reserve for endpoints that have little or nothing in hand.
HANDS: Final = 1000
RESERVE: Final = 500


def delivery_work(
    engine: AsyncEngine,
    endpoints: Endpoints,
    *,
    longest_attempt_seconds: float,
    gates: EndpointGates | None = None,
    lease_seconds: float = 20.0,
    now: Callable[[], datetime] = clock.now,
) -> DueWork:
    """The kind of work that follow-ups are. `longest_attempt_seconds`: what a destination may take; at the end it is waited for."""
    dispatch = _Dispatch(engine, endpoints, gates or EndpointGates(), now)
    return DueWork(
        name=FOLLOW_UP_WORK,
        table=follow_ups,
        working_state=FollowUpState.DELIVERING.value,
        do_one=dispatch.do_one,
        claim=dispatch.claim,
        across_tenants=partial(across_tenants_session, engine),
        concurrency=HANDS,
        lease_seconds=lease_seconds,
        drain_seconds=longest_attempt_seconds + 3.0,
        freed=dispatch.desk.turns.freed,
        on_stop=dispatch.desk.turns.stop,
    )


class _Dispatch:
    """Claims where there is room, and knows whose rows are in hand at this moment."""

    def __init__(self, engine: AsyncEngine, endpoints: Endpoints, gates: EndpointGates, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._owed = OwedEndpoints()
        self._in_hand: Counter[UUID] = Counter()
        self._beyond_few = 0
        self._one_hurry = asyncio.Lock()
        self.desk = Desk(endpoints, Turns(gates), SettleLine(engine), now, due_again=self._owed.add, hurry=self._hurry)

    async def claim(self, wish: ClaimWish) -> Sequence[ClaimedDelivery]:
        """What is due where there is room. No transaction is begun when the claim before this has found all there was."""
        shares: Sequence[Share] = [] if wish.anew else self._share_out(wish.limit, partial(self._claimable, only_portions=True))
        if not shares and not wish.anew:
            return []
        async with across_tenants_session(self._engine) as session:
            await walk_indexes(session)
            if wish.anew:
                await self._owed.look(session)
                shares = self._share_out(wish.limit, self._claimable)
            claimed = await claim_deliveries(session, shares, lease_seconds=wish.lease_seconds, rescue=wish.rescue)
        self._owed.note(shares, claimed)
        return claimed

    async def do_one(self, delivery: ClaimedDelivery) -> FollowUpState | None:
        """Deliver it, and have it in hand meanwhile."""
        endpoint_id = delivery.endpoint_id
        self._in_hand[endpoint_id] += 1
        self._beyond_few += self._in_hand[endpoint_id] > FIRST_FEW
        try:
            return await deliver(self.desk, delivery)
        finally:
            self._beyond_few -= self._in_hand[endpoint_id] > FIRST_FEW
            self._in_hand[endpoint_id] -= 1
            if not self._in_hand[endpoint_id]:
                del self._in_hand[endpoint_id]

    async def _hurry(self, endpoint_id: UUID) -> int:
        """One endpoint after the other: after a start a thousand are met in the same second, and claims need connections too."""
        async with self._one_hurry:
            return await hurry_retries(self._engine, endpoint_id)

    def _share_out(self, hands: int, room: Callable[[UUID], int]) -> Sequence[Share]:
        beyond_few = HANDS - RESERVE - self._beyond_few
        return self._owed.share_out(hands, room, beyond_few=beyond_few, in_hand=self._in_hand.__getitem__)

    def _claimable(self, endpoint_id: UUID, *, only_portions: bool = False) -> int:
        if self.desk.endpoints.destination(endpoint_id) is None:
            return 0
        return self.desk.turns.claimable(endpoint_id, only_portions=only_portions)
