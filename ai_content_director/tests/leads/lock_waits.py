"""Seeing that one transaction waits for another: the moment a test of two at once has to reach before it lets the first one end."""

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.waiting import wait_until_async


async def wait_until_somebody_waits_for(holding: AsyncConnection, owner_address: str) -> None:
    """Returns when some transaction waits for a lock that this one holds."""
    pid = (await holding.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    looking = await asyncpg.connect(dsn=owner_address)

    async def is_waited_for() -> bool:
        return bool(await looking.fetchval("SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))", pid))

    try:
        await wait_until_async(is_waited_for, "another transaction waits for ours", deadline_seconds=10)
    finally:
        await looking.close()
