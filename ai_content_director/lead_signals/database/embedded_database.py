"""Our database inside the embedded server: made once, addressed by its two logins, lent to whoever needs it for a while."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lead_signals.database.addresses import DatabaseAddresses, configured_addresses
from lead_signals.database.embedded.embedded_server_error import DirectoryInUseError, EmbeddedServerError
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import connect_plainly
from lead_signals.database.roles import APP_ROLE
from lead_signals.settings import Settings

DATABASE_NAME = "lead_signals"


def default_data_directory() -> Path:
    """Where the embedded server keeps its data unless --data-dir says otherwise: a place of this user's that lasts."""
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/lead-signals")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "lead-signals"


@contextmanager
def database_of(
    settings: Settings, data_directory: Path | None = None, *, must_exist: bool = False, must_run: bool = False
) -> Iterator[DatabaseAddresses]:
    """The database of this environment for as long as the block runs: the operator's server, or the embedded one.

    An embedded server that `lead-signals serve` runs already is used as it is; otherwise one runs for the block. With `must_exist` no
    new database is made for somebody who only wants to look; with `must_run` no server is started for somebody who would work beside
    nobody, and then keep `serve` out. Both raise EmbeddedServerError, as does a directory that will not do.
    """
    configured = configured_addresses(settings)
    if configured is not None:
        yield configured
        return
    directory = data_directory or default_data_directory()
    if (must_exist or must_run) and not os.path.isdir(directory / "postgres"):  # noqa: PTH112 - a closed folder is no error yet
        raise EmbeddedServerError(f"There is no database in {directory}: start bin/serve, or set DATABASE_URL, or name another --data-dir.")
    server = EmbeddedServer(directory)
    try:
        server.start()
    except DirectoryInUseError:
        yield addresses_in(server)
        return
    if must_run:
        server.stop()
        raise EmbeddedServerError(
            f"No `lead-signals serve` runs on {directory}: start bin/serve, which brings a worker, or set DATABASE_URL."
        )
    try:
        make_database(server)
        yield addresses_in(server)
    finally:
        server.stop()


def addresses_in(server: EmbeddedServer) -> DatabaseAddresses:
    """Both logins. There is no password: only this user, and root, can enter the socket's folder."""
    return DatabaseAddresses(owner=server.superuser_url(DATABASE_NAME), app=server.url(APP_ROLE, DATABASE_NAME))


def make_database(server: EmbeddedServer) -> None:
    """Create the empty database in a running server, unless it is there. Not from a running event loop."""
    asyncio.run(_make_database(server.superuser_url()))


async def _make_database(address: str) -> None:
    connection = await connect_plainly(address, application_name="lead-signals serve")
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE_NAME):
            await connection.execute(f"CREATE DATABASE {DATABASE_NAME}")
    finally:
        await connection.close()
