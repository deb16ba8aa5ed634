"""Work that nobody owes to anybody: done every so often, by one worker at a time, for as long as workers run.

Owed work is a row (`due_work`); this is for rounds over everything, such as watching for silence or removing what is too old. A round
must be a sequence of whole transactions and harmless when repeated: it is cut off when the worker stops, and each worker has its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lead_signals.database.availability import database_is_away
from lead_signals.log_context import get_logger

log = get_logger(__name__)

AWAY_PAUSE_SECONDS = 5.0

Round = Callable[[], Awaitable[object]]


async def run_every(engine: AsyncEngine, name: str, do_round: Round, *, every_seconds: float, stop: asyncio.Event) -> None:
    """Do a round at once and then every `every_seconds`, until `stop`; a round that runs then is cut off.

    A round is left out while another worker does the one of that `name`. A database that is away is waited for; any other failure of a
    round is logged, and the next round comes in its time: it must not end the worker that delivers follow-ups beside it.
    """
    while not stop.is_set():
        pause_seconds = every_seconds
        try:
            await _one_round(engine, name, do_round, stop)
        except Exception as error:
            if database_is_away(error):
                pause_seconds = min(AWAY_PAUSE_SECONDS, every_seconds)
                log.warning("round_waits_for_database", work=name, error=error.__class__.__name__)
            else:
                log.error("round_failed", work=name, error=error.__class__.__name__)
        await _rest(stop, pause_seconds)


async def _one_round(engine: AsyncEngine, name: str, do_round: Round, stop: asyncio.Event) -> None:
    """The lock is a session's, on a connection that does nothing else and has no transaction open: a round may last for minutes."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        which = {"which": f"every so often: {name}"}
        if not (await connection.execute(_TRY, which)).scalar_one():
            return
        try:
            await _until_stopped(do_round, stop)
        finally:
            await _unlock(connection, which)


_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:which, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:which, 0))")


async def _unlock(connection: AsyncConnection, which: dict[str, str]) -> None:
    try:
        await connection.execute(_UNLOCK, which)
    except BaseException:
        await connection.invalidate()  # a connection that keeps the lock must not go back into the pool
        raise


async def _until_stopped(do_round: Round, stop: asyncio.Event) -> None:
    doing, stopping = asyncio.ensure_future(do_round()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.wait({doing, stopping})


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
