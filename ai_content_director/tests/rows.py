"""Looking into a database beside the product, as its superuser: the walls between tenants do not stand in a checker's way."""

import asyncio
from types import TracebackType
from typing import Any, Self

import asyncpg


class Rows:
    """Statements on one database, from synchronous tests. Keeps a connection; makes a new one after the server was away."""

    def __init__(self, superuser_address: str) -> None:
        self._address = superuser_address
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    def of(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows of a query; `$1`, `$2` stand for the arguments."""
        return self._loop.run_until_complete(self._fetch(statement, arguments))

    def column(self, statement: str, *arguments: Any) -> list[Any]:
        """The first column of a query's rows."""
        return [row[0] for row in self.of(statement, *arguments)]

    def value(self, statement: str, *arguments: Any) -> Any:
        """The first column of the only row."""
        (value,) = self.column(statement, *arguments)
        return value

    async def _fetch(self, statement: str, arguments: tuple[Any, ...]) -> list[asyncpg.Record]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(dsn=self._address, server_settings={"application_name": "checker"})
        return await self._connection.fetch(statement, *arguments)

    def close(self) -> None:
        """Let go of the connection. An open transaction ends without its changes."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
