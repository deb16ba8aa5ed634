"""The rows a worker has in hand of one kind of work: each is a job that runs, and the leases of all are renewed together."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.availability import database_is_away
from lead_signals.database.lease import Claim, renew_all
from lead_signals.log_context import get_logger, place_of

log = get_logger(__name__)

RENEW_RETRY_SECONDS = 0.5

OpenConnection: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class RowsInHand:
    """Jobs that run. `freed` is set as one ends; `when_away` is told when a renewal finds no database."""

    def __init__(
        self,
        work_name: str,
        table: Table,
        across_tenants: OpenConnection,
        *,
        lease_seconds: float,
        freed: asyncio.Event,
        when_away: Callable[[], None],
    ) -> None:
        self._work_name, self._table, self._across_tenants = work_name, table, across_tenants
        self._lease_seconds, self._freed, self._when_away = lease_seconds, freed, when_away
        self._jobs: dict[asyncio.Task[None], Claim] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def take(self, claim: Claim, do_one: Callable[[Any], Awaitable[object]]) -> None:
        """Begin one. It ends by itself, when its lease is lost, or at the end of the drain; a crash leaves the row to the rescue.

        At a lost lease, and at the end of the drain, it is cancelled wherever it stands, in the middle of a call too: what it had done is
        not written down, and may be done once more by whoever claims the row, or has claimed it.
        """
        job = asyncio.create_task(self._do(claim, do_one))
        self._jobs[job] = claim
        job.add_done_callback(self._put_down)

    async def _do(self, claim: Claim, do_one: Callable[[Any], Awaitable[object]]) -> None:
        try:
            await do_one(claim)
        except Exception as error:
            place = place_of(error)
            log.error(
                "work_crashed", work=self._work_name, id=str(claim.id), attempts=claim.attempts, error=error.__class__.__name__, at=place
            )

    def _put_down(self, job: asyncio.Task[None]) -> None:
        del self._jobs[job]
        self._freed.set()

    async def keep_renewing(self) -> None:
        """Renew everything in hand each third of a lease, and end the jobs whose lease was lost. Runs until it is cancelled."""
        pause_seconds = self._lease_seconds / 3
        while True:
            await asyncio.sleep(pause_seconds)
            pause_seconds = self._lease_seconds / 3
            try:
                await self._renew()
            except Exception as error:
                pause_seconds = min(RENEW_RETRY_SECONDS, pause_seconds)
                told = {"work": self._work_name, "rows": len(self._jobs), "error": error.__class__.__name__}
                # The fence decides at the end whether the work counted: a database that is away is no reason to stop it.
                if database_is_away(error):
                    self._when_away()
                    log.warning("renew_waits_for_database", **told)
                else:
                    log.error("renew_failed", at=place_of(error), **told)

    async def _renew(self) -> None:
        # What is taken while we wait for a connection has its own fresh lease, and is renewed next time.
        in_hand = dict(self._jobs)
        job_of = {(claim.tenant_id, claim.id, claim.lease_token): job for job, claim in in_hand.items()}
        if not job_of:
            return
        async with self._across_tenants() as connection:
            lost = await renew_all(connection, self._table, list(in_hand.values()), lease_seconds=self._lease_seconds)
        for claim in lost:
            log.warning("lease_lost", work=self._work_name, id=str(claim.id))
            job_of[claim.tenant_id, claim.id, claim.lease_token].cancel()

    async def drain(self, timeout_seconds: float) -> None:
        """Let what runs finish. What cannot, because the database never comes back, is left to the rescue: we must end some day."""
        if not self._jobs:
            return
        _, unfinished = await asyncio.wait(list(self._jobs), timeout=timeout_seconds)
        if unfinished:
            log.warning("stopped_with_work_in_hand", work=self._work_name, rows=len(unfinished))
            for job in unfinished:
                job.cancel()
            await asyncio.wait(unfinished)
