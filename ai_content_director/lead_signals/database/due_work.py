"""The worker's loop over one kind of owed work: claim what is due, do it, renew while it lasts, rest until woken.

A kind of work is a value (`DueWork`); the loop knows nothing of what is done. It survives the loss of the database: it waits
and asks again. It stops when told to: claims nothing more, lets what runs finish, and gives the rest back.
"""

import asyncio
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

OpenConnection = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


@dataclass(frozen=True, slots=True)
class DueWork:
    """One kind of owed work: where it lies, what doing one means, and how much at once.

    `across_tenants` opens a transaction that sees due rows of every tenant (for claiming, renewing, giving back only).
    `do_one` settles the claim itself, in its own transaction. `lease_seconds` is how long a killed worker's row waits.
    """

    name: str
    table: Table
    working_state: str
    do_one: Callable[[Claim], Awaitable[None]]
    across_tenants: OpenConnection
    concurrency: int = 20
    lease_seconds: float = 20.0


async def run_due_work(work: DueWork, *, stop: asyncio.Event, wake: asyncio.Event) -> None:
    """Do what is due until `stop`; `wake` cuts a rest short. Returns when everything in hand is done or given back."""
    running: dict[asyncio.Task[None], Claim] = {}
    while not stop.is_set():
        wake.clear()
        claims = await _claim(work, work.concurrency - len(running))
        if claims is None:
            await _wait_first(stop.wait(), timeout_seconds=AWAY_PAUSE_SECONDS)
            continue
        for position, claim in enumerate(claims):
            if stop.is_set():
                await _give_back(work, claims[position:])
                break
            running[asyncio.create_task(_do_while_renewing(work, claim))] = claim
        await _rest(running, stop=stop, wake=wake, more_is_due=len(claims) > 0, full=len(running) >= work.concurrency)
        for task in [task for task in running if task.done()]:
            del running[task]
    if running:
        await asyncio.wait(running)


async def _claim(work: DueWork, limit: int) -> list[Claim] | None:
    """Due rows, or None while the database is away."""
    if limit <= 0:
        return []
    try:
        async with work.across_tenants() as connection:
            return await claim_due(connection, work.table, working_state=work.working_state, limit=limit, lease_seconds=work.lease_seconds)
    except Exception as error:
        if not database_is_away(error):
            raise
        log.warning("claim_waits_for_database", work=work.name, error=error.__class__.__name__)
        return None


async def _rest(
    running: dict[asyncio.Task[None], Claim], *, stop: asyncio.Event, wake: asyncio.Event, more_is_due: bool, full: bool
) -> None:
    """Wait for a free hand when all are busy; otherwise for a wake-up, a finished job, the poll, or the end."""
    if more_is_due and not full:
        await asyncio.sleep(0)
        return
    waiting = [] if full else [wake.wait()]
    await _wait_first(stop.wait(), *waiting, tasks=set(running), timeout_seconds=None if full else POLL_SECONDS)


async def _wait_first(*events: Awaitable[bool], timeout_seconds: float | None, tasks: set[asyncio.Task[None]] | None = None) -> None:
    watchers = {asyncio.ensure_future(event) for event in events}
    await asyncio.wait({*watchers, *(tasks or set())}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    for watcher in watchers:
        watcher.cancel()


async def _do_while_renewing(work: DueWork, claim: Claim) -> None:
    """Do one; hold its lease while it lasts; drop it when the lease is lost. A crash of `do_one` leaves the row to the rescue."""
    doing = asyncio.ensure_future(work.do_one(claim))
    renewing = asyncio.create_task(_renew_until_lost(work, claim))
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


async def _renew_until_lost(work: DueWork, claim: Claim) -> None:
    while True:
        await asyncio.sleep(work.lease_seconds / 3)
        try:
            async with work.across_tenants() as connection:
                if not await renew(connection, work.table, claim, lease_seconds=work.lease_seconds):
                    return
        except Exception as error:
            # The fence decides at the end whether the work counted: a database that is away is no reason to stop it.
            log.warning("renew_waits_for_database", work=work.name, id=str(claim.id), error=error.__class__.__name__)


async def _give_back(work: DueWork, claims: list[Claim]) -> None:
    try:
        async with work.across_tenants() as connection:
            for claim in claims:
                await give_back(connection, work.table, claim)
    except Exception as error:
        log.warning("give_back_failed", work=work.name, rows=len(claims), error=error.__class__.__name__)
