"""The worker's loop over one kind of owed work: claim what is due, do it, renew while it lasts, rest until woken.

A kind of work is a value (`DueWork`); the loop knows nothing of what is done. It survives the loss of the database: it waits
and asks again. It stops when told to: claims nothing more, lets what runs finish, and gives the rest back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.availability import database_is_away
from lead_signals.database.lease import Claim, claim_due, give_back, renew
from lead_signals.log_context import get_logger

log = get_logger(__name__)

POLL_SECONDS = 1.0  # the safety net below NOTIFY: a lost wake-up costs at most this
AWAY_PAUSE_SECONDS = 1.0
RENEW_RETRY_SECONDS = 0.5
# After an outage longer than a lease every row in work looks abandoned: whoever holds one first gets the time to say so.
RESCUE_PAUSE_SECONDS = 2.0

OpenConnection = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


@dataclass(frozen=True, slots=True)
class DueWork:
    """One kind of owed work: where it lies, what doing one means, and how much at once.

    `across_tenants` opens a transaction that sees due rows of every tenant (for claiming, renewing, giving back only).
    `do_one` settles the claim itself, in its own transaction. `lease_seconds` is how long a killed worker's row waits, and
    `drain_seconds` how long a job may go on after the end was asked for: longer than the longest attempt.
    """

    name: str
    table: Table
    working_state: str
    do_one: Callable[[Claim], Awaitable[None]]
    across_tenants: OpenConnection
    concurrency: int = 20
    lease_seconds: float = 20.0
    drain_seconds: float = 12.0


class _Rescue:
    """Whether rows of silent workers may be taken: not at first, and not just after an outage, in which nobody could renew."""

    def __init__(self) -> None:
        self.put_off()

    def put_off(self) -> None:
        self._from = time.monotonic() + RESCUE_PAUSE_SECONDS

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._from


async def run_due_work(work: DueWork, *, stop: asyncio.Event, wake: asyncio.Event) -> None:
    """Do what is due until `stop`; `wake` cuts a rest short. Returns when everything in hand is done or given back."""
    running: set[asyncio.Task[None]] = set()
    rescue = _Rescue()
    while not stop.is_set():
        wake.clear()
        claims = await _claim(work, work.concurrency - len(running), rescue)
        if claims is None:
            await _wait_first(stop.wait(), timeout_seconds=AWAY_PAUSE_SECONDS)
            continue
        for position, claim in enumerate(claims):
            if stop.is_set():
                await _give_back(work, claims[position:])
                break
            running.add(asyncio.create_task(_do_while_renewing(work, claim, rescue)))
        await _rest(running, stop=stop, wake=wake, more_is_due=len(claims) > 0, full=len(running) >= work.concurrency)
        running = {task for task in running if not task.done()}
    await _drain(work, running)


async def _claim(work: DueWork, limit: int, rescue: _Rescue) -> list[Claim] | None:
    """Due rows, or None while the database is away."""
    if limit <= 0:
        return []
    try:
        async with work.across_tenants() as connection:
            return await claim_due(
                connection,
                work.table,
                working_state=work.working_state,
                limit=limit,
                lease_seconds=work.lease_seconds,
                rescue=rescue.is_due,
            )
    except Exception as error:
        if not database_is_away(error):
            raise
        rescue.put_off()
        log.warning("claim_waits_for_database", work=work.name, error=error.__class__.__name__)
        return None


async def _rest(running: set[asyncio.Task[None]], *, stop: asyncio.Event, wake: asyncio.Event, more_is_due: bool, full: bool) -> None:
    """Wait for a free hand when all are busy; otherwise for a wake-up, a finished job, the poll, or the end."""
    if more_is_due and not full:
        await asyncio.sleep(0)
        return
    waiting = [] if full else [wake.wait()]
    await _wait_first(stop.wait(), *waiting, tasks=running, timeout_seconds=None if full else POLL_SECONDS)


async def _wait_first(*events: Awaitable[bool], timeout_seconds: float | None, tasks: set[asyncio.Task[None]] | None = None) -> None:
    watchers = {asyncio.ensure_future(event) for event in events}
    await asyncio.wait({*watchers, *(tasks or set())}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    for watcher in watchers:
        watcher.cancel()


async def _do_while_renewing(work: DueWork, claim: Claim, rescue: _Rescue) -> None:
    """Do one; hold its lease while it lasts; drop it when the lease is lost. A crash of `do_one` leaves the row to the rescue."""
    doing = asyncio.ensure_future(work.do_one(claim))
    renewing = asyncio.create_task(_renew_until_lost(work, claim, rescue))
    try:
        await asyncio.wait({doing, renewing}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            log.warning("lease_lost", work=work.name, id=str(claim.id))
            doing.cancel()
        await doing
    except asyncio.CancelledError:
        doing.cancel()
        if asyncio.current_task() is not None and asyncio.current_task().cancelling():  # type: ignore[union-attr]
            raise
    except Exception as error:
        log.error("work_crashed", work=work.name, id=str(claim.id), attempts=claim.attempts, error=error.__class__.__name__)
    finally:
        renewing.cancel()


async def _renew_until_lost(work: DueWork, claim: Claim, rescue: _Rescue) -> None:
    pause_seconds = work.lease_seconds / 3
    while True:
        await asyncio.sleep(pause_seconds)
        try:
            async with work.across_tenants() as connection:
                if not await renew(connection, work.table, claim, lease_seconds=work.lease_seconds):
                    return
            pause_seconds = work.lease_seconds / 3
        except Exception as error:
            pause_seconds = min(RENEW_RETRY_SECONDS, pause_seconds)
            if database_is_away(error):
                rescue.put_off()
            # The fence decides at the end whether the work counted: a database that is away is no reason to stop it.
            log.warning("renew_waits_for_database", work=work.name, id=str(claim.id), error=error.__class__.__name__)


async def _drain(work: DueWork, running: set[asyncio.Task[None]]) -> None:
    """Let what runs finish. What cannot, because the database never comes back, is left to the rescue: we must end some day."""
    if not running:
        return
    _, unfinished = await asyncio.wait(running, timeout=work.drain_seconds)
    if unfinished:
        log.warning("stopped_with_work_in_hand", work=work.name, rows=len(unfinished))
        for task in unfinished:
            task.cancel()
        await asyncio.wait(unfinished)


async def _give_back(work: DueWork, claims: list[Claim]) -> None:
    try:
        async with work.across_tenants() as connection:
            for claim in claims:
                await give_back(connection, work.table, claim)
    except Exception as error:
        log.warning("give_back_failed", work=work.name, rows=len(claims), error=error.__class__.__name__)
