"""Outlast an outage: a step with the database that is done again until the database is there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lead_signals.database.availability import database_is_away
from lead_signals.log_context import get_logger

log = get_logger(__name__)

RETRY_SECONDS = 0.5

Done = TypeVar("Done")


async def outlast_outage(what: str, step: Callable[[], Awaitable[Done]], **whose: str) -> Done:
    """What the step returns, once it succeeds: a lost connection is no crash, and must not count as one.

    Each vain try is logged as `<what>_waits_for_database` with the ids in `whose`. Any other failure is raised.
    """
    while True:
        try:
            return await step()
        except Exception as error:
            if not database_is_away(error):
                raise
            log.warning(f"{what}_waits_for_database", error=error.__class__.__name__, **whose)
        await asyncio.sleep(RETRY_SECONDS)
