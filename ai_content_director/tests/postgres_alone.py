"""A PostgreSQL of a module's own, to be stopped and killed under the product without disturbing other tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded_database import addresses_in, make_database
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.migrate import migrate
from tests.rows import Rows


@pytest.fixture(scope="module")
def postgres_alone(postgres_binaries: PostgresBinaries | None) -> Iterator[EmbeddedServer]:
    """A running server with no database of ours in it yet."""
    directory = Path(tempfile.mkdtemp(prefix="ls-"))
    directory.chmod(0o711)  # PostgreSQL 15's initdb loses its working folder below a closed one
    server = EmbeddedServer(directory / "data", postgres_binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def database_alone(postgres_alone: EmbeddedServer) -> Iterator[DatabaseAddresses]:
    """The fresh migrated database of one test, in the running server."""
    postgres_alone.start()
    make_database(postgres_alone)
    migrate(addresses_in(postgres_alone))
    yield addresses_in(postgres_alone)
    postgres_alone.start()
    with Rows(postgres_alone.superuser_url()) as rows:
        rows.of("DROP DATABASE lead_signals WITH (FORCE)")
