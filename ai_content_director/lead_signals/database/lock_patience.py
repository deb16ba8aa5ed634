"""Patience with locks: how long a transaction waits for what others hold, and how to tell that it waited in vain."""

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

LOCK_PATIENCE = "2s"  # a transaction of ours holds a lock for milliseconds; who holds one this long has forgotten it

_HELD_UP = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


async def limit_lock_waits(connection: AsyncConnection) -> None:
    """From here on this transaction waits for no lock longer than LOCK_PATIENCE."""
    await connection.execute(text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": LOCK_PATIENCE})


def held_up(error: BaseException) -> bool:
    """True when somebody else's locks stood in the way, too long or in a circle: the same work may succeed a moment later."""
    return isinstance(error, DBAPIError) and isinstance(getattr(error.orig, "__cause__", None), _HELD_UP)
