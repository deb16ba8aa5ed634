"""The health check of a worker's container: `python -m lead_signals.health.this_worker_beats` leaves with 0 while the worker of this
very host beats in the database. `doctor` asks more, and of everybody: a check that restarts or reports one container must not."""

import asyncio
import socket
import sys

from sqlalchemy import exists, func, select, text

from lead_signals.database.engine import app_engine
from lead_signals.database.heartbeat import SILENT_AFTER_SECONDS, worker_heartbeats
from lead_signals.settings import read_settings


def main() -> int:
    """Exit status 0 when a worker of this host beat lately; otherwise 1, and a sentence on standard error."""
    settings = read_settings()
    if settings.database_url is None:
        sys.stderr.write("DATABASE_URL is not set\n")
        return 1
    if asyncio.run(this_worker_beats(settings.database_url.get_secret_value(), socket.gethostname())):
        return 0
    sys.stderr.write(f"no worker of {socket.gethostname()} beat within {SILENT_AFTER_SECONDS:g} s\n")
    return 1


async def this_worker_beats(database_address: str, host: str) -> bool:
    """Whether a worker that calls its machine `host` beat within SILENT_AFTER_SECONDS. Raises what the driver raises when it cannot ask."""
    engine = app_engine(database_address, application_name="lead-signals health check", pool_size=1)
    lately = worker_heartbeats.c.beat_at > func.now() - text(f"interval '{SILENT_AFTER_SECONDS} seconds'")
    try:
        async with engine.connect() as connection:
            return bool((await connection.execute(select(exists().where(worker_heartbeats.c.host == host, lately)))).scalar_one())
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
