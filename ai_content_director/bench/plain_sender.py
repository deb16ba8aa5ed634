"""What somebody writes first: take one row under a lock, post it, mark it, commit. And the POST alone, the limit of the client.

The client and the sink are those of the product; nothing is signed, no attempt is written down, and a transaction is open while the
receiver thinks.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import aiohttp
import asyncpg
import uvloop

from bench.clean_server import CleanServer
from lead_signals.database.engine import connect_plainly

_TABLE = (
    "CREATE TABLE bench_plain (id uuid PRIMARY KEY, body bytea NOT NULL, state text NOT NULL, due_at timestamptz NOT NULL)",
    "INSERT INTO bench_plain SELECT uuidv7(), body, 'pending', due_at FROM follow_ups LIMIT $1::int",
    "CREATE INDEX ON bench_plain (due_at) WHERE state = 'pending'",
    "ANALYZE bench_plain",
)
_TAKE = "SELECT id, body FROM bench_plain WHERE state = 'pending' ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED"
_MARK = "UPDATE bench_plain SET state = 'delivered' WHERE id = $1"

Turn = Callable[[aiohttp.ClientSession, int], Awaitable[bool]]


def plain_table(server: CleanServer, rows: int) -> None:
    """A queue of its own with bodies like ours, as many rows as were asked for and there are."""
    server.fetch("DROP TABLE IF EXISTS bench_plain")
    make, fill, *rest = _TABLE
    server.fetch(make)
    server.fetch(fill, rows)
    for statement in rest:
        server.fetch(statement)


def send_plainly(server: CleanServer, url: str, *, loops: int, seconds: float, meter: AbstractContextManager[object]) -> tuple[int, float]:
    """So many loops, each on a connection of its own, for so long or until the queue is empty. Returns deliveries and seconds."""
    return uvloop.run(_plain(server.addresses.owner, url, loops, seconds, meter))


async def _plain(address: str, url: str, loops: int, seconds: float, meter: AbstractContextManager[object]) -> tuple[int, float]:
    connections = [await connect_plainly(address, application_name="lead-signals bench") for _ in range(loops)]

    async def take_post_mark(session: aiohttp.ClientSession, loop: int) -> bool:
        connection = connections[loop]
        async with connection.transaction():
            row: asyncpg.Record | None = await connection.fetchrow(_TAKE)
            if row is None:
                return False
            await _post(session, url, row["body"], f"plain_{row['id'].hex}")
            await connection.execute(_MARK, row["id"])
        return True

    try:
        return await _run(take_post_mark, loops, seconds, meter)
    finally:
        for connection in connections:
            await connection.close()


def post_alone(url: str, body: bytes, *, at_once: int, seconds: float, meter: AbstractContextManager[object]) -> tuple[int, float]:
    """POST after POST, so many at once. Returns deliveries and seconds."""

    async def post(session: aiohttp.ClientSession, loop: int) -> bool:
        await _post(session, url, body, "naked")
        return True

    return uvloop.run(_run(post, at_once, seconds, meter))


async def _run(turn: Turn, loops: int, seconds: float, meter: AbstractContextManager[object]) -> tuple[int, float]:
    done = 0

    async def go_round(loop: int) -> None:
        nonlocal done
        while time.perf_counter() < ends and await turn(session, loop):
            done += 1

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session:
        began = time.perf_counter()
        ends = began + seconds
        with meter:
            await asyncio.gather(*(go_round(loop) for loop in range(loops)))
        return done, time.perf_counter() - began


async def _post(session: aiohttp.ClientSession, url: str, body: bytes, webhook_id: str) -> None:
    headers = {"content-type": "application/json", "webhook-id": webhook_id, "idempotency-key": webhook_id}
    async with asyncio.timeout(10), session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
        await answer.content.read()
