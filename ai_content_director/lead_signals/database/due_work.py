"""The worker's loop over one kind of owed work: claim what is due in good portions, do it, rest until woken.

A kind of work is a value (`DueWork`); the loop knows nothing of what is done. It survives the loss of the database: it waits
and asks again. It stops when told to: claims nothing more, lets what runs finish, and gives the rest back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from lead_signals.database.availability import database_is_away
from lead_signals.database.lease import Claim, claim_due, give_back
from lead_signals.database.rows_in_hand import OpenConnection, RowsInHand
from lead_signals.log_context import get_logger

log = get_logger(__name__)

POLL_SECONDS = 1.0  # the safety net below NOTIFY: a lost wake-up costs at most this
AWAY_PAUSE_SECONDS = 1.0
# After an outage longer than a lease every row in work looks abandoned: whoever holds one first gets the time to say so.
RESCUE_PAUSE_SECONDS = 2.0
# A claim is a transaction, of milliseconds. While others run it is made for at least this part of all hands.
PORTION_OF_HANDS = 4


@dataclass(frozen=True, slots=True)
class ClaimWish:
    """What the loop asks for: at most `limit` rows, and with `rescue` those of silent workers too.

    `anew`: we were woken, or have rested; something may be due of which a claim just before knew nothing.
    """

    limit: int
    lease_seconds: float
    rescue: bool
    anew: bool


@dataclass(frozen=True, slots=True)
class DueWork:
    """One kind of owed work: where it lies, what doing one means, and how much at once.

    `across_tenants` opens a transaction that sees due rows of every tenant (for claiming, renewing, giving back only).
    `do_one` settles the claim itself, in its own transaction; it gets what `claim` has returned, which is a Claim or more than that.
    `claim` takes what is due when the oldest first is not enough; it opens its own transaction, or none when it need not ask.
    `lease_seconds` is how long a killed worker's row waits, and `drain_seconds` how long a job may go on after the end was asked for:
    longer than the longest attempt. `freed` is set when a hand is free, and by a job that makes room before it ends.
    `on_stop` is called once as the end is asked for, even while a claim waits for the database: jobs that wait for a turn can end then.
    """

    name: str
    table: Table
    working_state: str
    do_one: Callable[[Any], Awaitable[object]]
    across_tenants: OpenConnection
    concurrency: int = 20
    lease_seconds: float = 20.0
    drain_seconds: float = 12.0
    claim: Callable[[ClaimWish], Awaitable[Sequence[Claim]]] | None = None
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    on_stop: Callable[[], None] = lambda: None


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
    rescue = _Rescue()
    hands = RowsInHand(
        work.name, work.table, work.across_tenants, lease_seconds=work.lease_seconds, freed=work.freed, when_away=rescue.put_off
    )
    renewing = asyncio.create_task(hands.keep_renewing())
    telling = asyncio.create_task(_tell_of_the_end(work, stop))
    bells = _Bells(stop, wake, work.freed)
    anew = True
    try:
        while not stop.is_set():
            wake.clear()
            work.freed.clear()
            claims = await _claim(work, ClaimWish(work.concurrency - len(hands), work.lease_seconds, rescue.is_due, anew))
            if claims is None:
                rescue.put_off()
                anew = True
                await bells.until_stop(AWAY_PAUSE_SECONDS)
                continue
            if stop.is_set():
                await _give_back(work, claims)
                break
            for claim in claims:
                hands.take(claim, work.do_one)
            anew = await _rest(work, hands, bells, more_is_due=len(claims) > 0)
        await telling
        await hands.drain(work.drain_seconds)
    finally:
        telling.cancel()
        renewing.cancel()
        bells.end()


async def _tell_of_the_end(work: DueWork, stop: asyncio.Event) -> None:
    await stop.wait()
    work.on_stop()


async def _claim(work: DueWork, wish: ClaimWish) -> Sequence[Claim] | None:
    """Due rows, or None while the database is away."""
    try:
        return await (_claim_oldest(work, wish) if work.claim is None else work.claim(wish))
    except Exception as error:
        if not database_is_away(error):
            raise
        log.warning("claim_waits_for_database", work=work.name, error=error.__class__.__name__)
        return None


async def _claim_oldest(work: DueWork, wish: ClaimWish) -> list[Claim]:
    async with work.across_tenants() as connection:
        return await claim_due(
            connection,
            work.table,
            working_state=work.working_state,
            limit=wish.limit,
            lease_seconds=wish.lease_seconds,
            rescue=wish.rescue,
        )


async def _rest(work: DueWork, hands: RowsInHand, bells: "_Bells", *, more_is_due: bool) -> bool:
    """Wait until there is reason to claim: a portion of free hands, or with a free one a wake-up or the poll. Whether to look anew."""
    while not bells.is_over:
        free = work.concurrency - len(hands)
        if free > 0 and bells.was_woken:
            return True
        has_portion = free * PORTION_OF_HANDS >= work.concurrency or len(hands) == 0
        if has_portion and (more_is_due or work.freed.is_set()):
            await asyncio.sleep(0)
            return False
        work.freed.clear()
        if not await bells.until_stirred(POLL_SECONDS, wakeable=free > 0) and free > 0:
            return True
    return True


class _Bells:
    """Three events, and waiting for any of them, with watchers that outlive one wait: a busy loop waits a thousand times a second."""

    def __init__(self, stop: asyncio.Event, wake: asyncio.Event, freed: asyncio.Event) -> None:
        self._stop, self._wake, self._freed = stop, wake, freed
        self._watchers: dict[asyncio.Event, asyncio.Task[bool]] = {}

    @property
    def is_over(self) -> bool:
        return self._stop.is_set()

    @property
    def was_woken(self) -> bool:
        return self._wake.is_set()

    async def until_stop(self, timeout_seconds: float) -> None:
        await self._until([self._stop], timeout_seconds)

    async def until_stirred(self, timeout_seconds: float, *, wakeable: bool) -> bool:
        """Until the end, a free hand, or a wake-up for which there is a hand. False when none of them came in time."""
        return await self._until([self._stop, self._freed, *([self._wake] if wakeable else [])], timeout_seconds)

    async def _until(self, events: list[asyncio.Event], timeout_seconds: float) -> bool:
        if any(event.is_set() for event in events):
            return True
        for event in events:
            if event not in self._watchers or self._watchers[event].done():
                self._watchers[event] = asyncio.create_task(event.wait())
        await asyncio.wait([self._watchers[event] for event in events], timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        return any(event.is_set() for event in events)

    def end(self) -> None:
        for watcher in self._watchers.values():
            watcher.cancel()


async def _give_back(work: DueWork, claims: Sequence[Claim]) -> None:
    try:
        async with work.across_tenants() as connection:
            for claim in claims:
                await give_back(connection, work.table, claim)
    except Exception as error:
        log.warning("give_back_failed", work=work.name, rows=len(claims), error=error.__class__.__name__)
