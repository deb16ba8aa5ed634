"""The whole application in this process, spoken to over ASGI, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
from prometheus_client.parser import text_string_to_metric_families

from lead_signals.http_app import make_app
from lead_signals.settings import read_settings

WEBHOOK = "/webhooks/facebook"


@asynccontextmanager
async def open_door(database_address: str, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with these environment variables. A crash of the application is a 500 here, as it is outside."""
    app = make_app(database_address, read_settings(environment))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def rows_by_table(owner_address: str) -> dict[str, int]:
    """How many rows each table holds, past every wall: what "nothing stored" is measured by."""
    connection = await asyncpg.connect(dsn=owner_address)
    try:
        tables = await connection.fetch("SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'")
        assert len(tables) > 10
        counts = ", ".join(f"(SELECT count(*) FROM {table['name']}) AS {table['name']}" for table in tables)
        counted = await connection.fetchrow(f"SELECT {counts}")
    finally:
        await connection.close()
    assert counted is not None
    return dict(counted)


async def fetch(owner_address: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """Rows, past every wall."""
    connection = await asyncpg.connect(dsn=owner_address)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


async def execute(owner_address: str, statements: str) -> None:
    """Statements one after the other, past every wall."""
    connection = await asyncpg.connect(dsn=owner_address)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def fetch_now(owner_address: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """The same from a test that is not asynchronous."""
    return asyncio.run(fetch(owner_address, statement, *arguments))


async def metric(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """The value /metrics shows now; 0 when there is no such sample yet."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def assert_refused(answer: httpx.Response, status: int, *said: str) -> None:
    """A refusal is JSON with one clear sentence; each of `said` stands in it."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert (set(told), told["ok"]) == ({"ok", "error"}, False)
    assert told["error"].endswith(".")
    assert "\n" not in told["error"]
    assert len(told["error"]) < 300
    for words in said:
        assert words in told["error"]
