"""Bring a database to the newest revision, and tell whether it is there."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.availability import database_is_away, why_away
from lead_signals.database.engine import assert_safe
from lead_signals.log_context import get_logger

log = get_logger(__name__)

WAIT_SECONDS = 1.0

ALEMBIC_INI = Path(__file__).resolve().parents[2] / "alembic.ini"


def migrate(addresses: DatabaseAddresses, revision: str = "head") -> None:
    """Upgrade to `revision`; safe to run twice and at the same time elsewhere (one migrator at a time). Not from a running event loop."""
    config = Config(str(ALEMBIC_INI))
    config.attributes["addresses"] = addresses
    command.upgrade(config, revision)


def newest_revision() -> str:
    """The revision this code was written for."""
    head = ScriptDirectory.from_config(Config(str(ALEMBIC_INI))).get_current_head()
    if head is None:
        raise RuntimeError(f"no migrations found beside {ALEMBIC_INI}")
    return head


async def revision_of(connection: AsyncConnection) -> str | None:
    """The revision the database stands at; None when it was never migrated."""
    if (await connection.execute(text("SELECT to_regclass('public.alembic_version')"))).scalar_one() is None:
        return None
    revision: str | None = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    return revision


async def wait_for_migration(engine: AsyncEngine, *, stop: asyncio.Event) -> None:
    """Return when the database is reachable and at the newest revision, or when told to stop.

    Raises UnsafeDatabaseError when it is reachable and would break a promise.
    """
    newest, told = newest_revision(), None
    while not stop.is_set():
        try:
            async with engine.connect() as connection:
                await assert_safe(connection)
                revision = await revision_of(connection)
            waits_for = (
                None if revision == newest else f"database at {revision or 'nothing'}, waiting for {newest}: run alembic upgrade head"
            )
        except Exception as error:
            if not database_is_away(error):
                raise
            waits_for = f"database cannot be reached ({why_away(error)})"
        if waits_for is None:
            return
        if waits_for != told:
            log.warning("waiting", reason=waits_for)
            told = waits_for
        try:
            await asyncio.wait_for(stop.wait(), WAIT_SECONDS)
        except TimeoutError:
            continue
