"""NOTIFY wakes resting workers; polling stays as the safety net below it.

LISTEN lives on a connection of its own in a task that reconnects: losing it is never silent and never final.
"""

import asyncio
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.engine import CONNECT_TIMEOUT_SECONDS, PlainConnection, connect_plainly
from lead_signals.log_context import get_logger

log = get_logger(__name__)

CHANNEL = "lead_signals_due"
RECONNECT_SECONDS = 1.0
PROBE_SECONDS = 10.0


async def announce_due_work(connection: AsyncConnection, work_name: str) -> None:
    """Wake the workers of that kind when this transaction commits (equal notices of one transaction collapse into one)."""
    await connection.execute(text("SELECT pg_notify(:channel, :work_name)"), {"channel": CHANNEL, "work_name": work_name})


async def listen_for_due_work(address: str, wakes: Mapping[str, asyncio.Event], *, stop: asyncio.Event) -> None:
    """Set `wakes[name]` at each notice until `stop`. After a lost connection every event is set once: something may have been missed."""
    while not stop.is_set():
        try:
            connection = await connect_plainly(address, application_name="lead-signals listen")
        except Exception as error:
            log.warning("listen_waits_for_database", error=error.__class__.__name__)
            await _pause(stop, seconds=RECONNECT_SECONDS)
            continue
        try:
            await _listen_until_lost(connection, wakes, stop=stop)
        except Exception as error:
            log.warning("listen_lost", error=error.__class__.__name__)
            await _pause(stop, seconds=RECONNECT_SECONDS)
        finally:
            connection.terminate()


async def _listen_until_lost(connection: PlainConnection, wakes: Mapping[str, asyncio.Event], *, stop: asyncio.Event) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    await connection.add_listener(CHANNEL, lambda *notice: _wake(wakes, notice[-1]))
    for event in wakes.values():
        event.set()
    while not stop.is_set() and not connection.is_closed():
        await _pause(lost, stop, seconds=PROBE_SECONDS)
        if not lost.is_set():
            # A peer that vanished without a word closes nothing: only asking finds out.
            await connection.execute("SELECT 1", timeout=CONNECT_TIMEOUT_SECONDS)


def _wake(wakes: Mapping[str, asyncio.Event], payload: object) -> None:
    event = wakes.get(str(payload))
    if event is not None:
        event.set()


async def _pause(*events: asyncio.Event, seconds: float) -> None:
    """Rest that long, or until one of the events is set."""
    watchers = {asyncio.create_task(event.wait()) for event in events}
    await asyncio.wait(watchers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for watcher in watchers:
        watcher.cancel()
