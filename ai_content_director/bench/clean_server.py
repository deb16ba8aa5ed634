"""A clean PostgreSQL for one bench: the embedded one, with the durability it always has, on data that is thrown away."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bench.bench_error import BenchError
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded_database import addresses_in, make_database
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import connect_plainly
from lead_signals.database.migrate import migrate

MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes")
WORTH_KNOWING = (*MUST_BE_ON, "wal_sync_method", "shared_buffers", "max_connections", "server_version")


@dataclass(frozen=True, slots=True)
class CleanServer:
    """A running server with our migrated, empty database; `folder` is for whatever else the bench throws away."""

    pid: int
    addresses: DatabaseAddresses
    folder: Path
    settings: Mapping[str, str]

    def fetch(self, statement: str, *arguments: Any) -> Sequence["asyncpg.Record"]:
        """The rows of one statement, as the superuser: no wall stands in a checker's way. Not from a running event loop."""
        return asyncio.run(_fetch(self.addresses.owner, statement, arguments))


@contextmanager
def clean_server(parent: Path | None, connections: int) -> Iterator[CleanServer]:
    """One server for the block, in a folder below `parent` (where temporary files go, if None). Ends with all its data.

    It takes `connections` of the bench beside those of the product; nothing else differs from what `bin/serve` starts.
    Raises BenchError when the application's sessions would not commit durably, and EmbeddedServerError.
    """
    folder = Path(tempfile.mkdtemp(prefix="lead-signals-bench-", dir=parent))
    folder.chmod(0o711)  # root's server belongs to an ordinary user, who must be able to pass
    server = EmbeddedServer(folder / "data", settings={"max_connections": str(max(100, connections + 50))})
    try:
        server.start()
        make_database(server)
        addresses = addresses_in(server)
        migrate(addresses)
        if server.pid is None:
            raise BenchError("PostgreSQL ended right after its start.")
        yield CleanServer(server.pid, addresses, folder, _durable_settings(addresses.app))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _durable_settings(app_address: str) -> dict[str, str]:
    """What SHOW answers to the application's login."""
    shown = {name: str(asyncio.run(_fetch(app_address, f"SHOW {name}"))[0][0]) for name in WORTH_KNOWING}
    if off := [name for name in MUST_BE_ON if shown[name] != "on"]:
        raise BenchError(f"{', '.join(off)} must be on: a rate measured without durability says nothing.")
    return shown


async def _fetch(address: str, statement: str, arguments: Sequence[Any] = ()) -> Sequence["asyncpg.Record"]:
    connection = await connect_plainly(address, application_name="lead-signals bench")
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()
