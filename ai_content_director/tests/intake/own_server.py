"""A PostgreSQL of one test's own, to be stopped, misconfigured and locked up without hurting the others."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.roles import APP_ROLE
from tests.intake.open_door import fetch_now

NAME = "ban_hang"


@contextmanager
def own_server(binaries: PostgresBinaries | None, settings: Mapping[str, str] | None = None) -> Iterator[EmbeddedServer]:
    """A running server without any database of ours; it ends, with its data, when the block does."""
    directory = Path(tempfile.mkdtemp(prefix="own-"))
    directory.chmod(0o711)
    server = EmbeddedServer(directory / "data", binaries, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def empty_database(server: EmbeddedServer, name: str = NAME) -> DatabaseAddresses:
    """A database that was never migrated, in the two ways the product logs in."""
    fetch_now(server.superuser_url(), f"CREATE DATABASE {name}")
    return DatabaseAddresses(owner=server.superuser_url(name), app=server.url(APP_ROLE, name))
