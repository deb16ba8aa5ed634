"""A worker whose clock is stepped: it works by the functions of the real one, and jumps to the next moment when nothing is due."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.delivering.claim_deliveries import claim_deliveries
from lead_signals.followups.delivering.deliver import Desk, deliver
from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.delivering.hurry_retries import hurry_retries
from lead_signals.followups.delivering.owed_endpoints import OwedEndpoints
from lead_signals.followups.delivering.settle_line import SettleLine
from lead_signals.followups.delivering.turns import Turns
from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.outcome import Outcome
from lead_signals.tenancy.tenant_session import across_tenants_session

HANDS = 400
A_CALL = timedelta(milliseconds=50)  # what one round of calls takes on the stepped clock


class OneEndpoint:
    """Everybody's endpoint is this destination, which counts how many call it at once; nothing pauses it."""

    def __init__(self, destination: Destination) -> None:
        self.most_at_once = 0
        self._at_once = 0
        self._destination = destination

    def destination(self, endpoint_id: UUID) -> Destination | None:
        return self

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._destination.send(webhook_id, body, at=at)
        finally:
            self._at_once -= 1

    async def pause(self, tenant_id: UUID, endpoint_id: UUID) -> None:
        raise AssertionError(f"nobody said that {endpoint_id} is gone")


class SteppedWorker:
    """All is owed to the operator's endpoint. `now` is its clock and the database's, for everything it asks and writes."""

    def __init__(self, engine: AsyncEngine, destination: Destination, begins_at: datetime) -> None:
        self.now = begins_at
        self.rounds: list[tuple[datetime, int]] = []
        self._engine = engine
        self._gates = EndpointGates(monotonic=self._seconds)
        self._turns = Turns(self._gates)
        self.endpoint = OneEndpoint(destination)
        self._desk = Desk(
            self.endpoint,
            self._turns,
            SettleLine(engine, now=lambda: self.now),
            lambda: self.now,
            hurry=partial(hurry_retries, engine, now=lambda: self.now),
        )
        self._owed = OwedEndpoints()

    async def work_until(self, moment: datetime) -> bool:
        """Do all that is due before `moment`. False when nothing is owed any more."""
        while self.now < moment:
            if await self._one_round():
                self.now += A_CALL
                continue
            next_at = await self._next_moment()
            if next_at is None:
                return False
            self.now = min(next_at, moment)
        return True

    async def _one_round(self) -> bool:
        if self._gates.room(OPERATORS_ENDPOINT) == 0:
            return False
        async with across_tenants_session(self._engine) as session:
            await self._owed.look(session, now=lambda: self.now)
            shares = self._owed.share_out(HANDS, self._turns.claimable)
            claimed = await claim_deliveries(session, shares, lease_seconds=20, now=lambda: self.now)
        await asyncio.gather(*(deliver(self._desk, delivery) for delivery in claimed))
        if claimed:
            self.rounds.append((self.now, len(claimed)))
        return bool(claimed)

    async def _next_moment(self) -> datetime | None:
        """When the shut gate lets one through, or the next follow-up is due."""
        opens_in = self._gates.opens_in()
        if opens_in is not None:
            return self.now + max(timedelta(seconds=opens_in), timedelta(milliseconds=1))
        async with across_tenants_session(self._engine) as session:
            due_at = func.min(func.coalesce(follow_ups.c.lease_until, follow_ups.c.due_at))
            found: datetime | None = (await session.execute(select(due_at).where(follow_ups.c.finished_at.is_(None)))).scalar_one()
            return found

    def _seconds(self) -> float:
        return self.now.timestamp()
