"""The settle line: attempts that end are written down together, many in one transaction, each under its own fencing token.

Whatever waits when the last batch has committed goes into the next; nobody waits for a timer. What has ended is never forgotten: while the
database is away the batch is written again and again, and one that PostgreSQL refuses for the sake of one row is written row by row.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.outlast_outage import outlast_outage
from lead_signals.followups.delivering.claimed_delivery import Moment, databases_clock
from lead_signals.followups.delivering.settlement import Settlement
from lead_signals.followups.delivering.write_settlements import write_settlements
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.log_context import get_logger

log = get_logger(__name__)

MOST_AT_ONCE = 200  # rows of one transaction: it holds their locks for some 20 ms


class SettleLine:
    """One for each worker. One batch is written at a time."""

    def __init__(self, engine: AsyncEngine, *, now: Moment = databases_clock) -> None:
        self._engine = engine
        self._now = now
        self._waiting: list[tuple[Settlement, asyncio.Future[FollowUpState | None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self, settlement: Settlement) -> FollowUpState | None:
        """The state that was written; None, and the row left as it is, when it was claimed again since. The attempt is recorded anyway.

        Raises what PostgreSQL said when it refuses this very row. Whoever stops waiting does not stop the writing.
        """
        written: asyncio.Future[FollowUpState | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((settlement, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._write(batch)
        finally:
            self._writing = None

    async def _write(self, batch: Sequence[tuple[Settlement, asyncio.Future[FollowUpState | None]]]) -> None:
        try:
            states = await self._outlasting([settlement for settlement, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                log.warning("settled_one_by_one", rows=len(batch), error=error.__class__.__name__)
                for one in batch:
                    await self._write([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for settlement, written in batch:
            if not written.done():
                written.set_result(states.get(settlement.delivery.id))

    async def _outlasting(self, settlements: Sequence[Settlement]) -> dict[UUID, FollowUpState]:
        write = partial(write_settlements, self._engine, settlements, now=self._now)
        return await outlast_outage("settle", write, follow_up_id=str(settlements[0].delivery.id), rows=str(len(settlements)))
