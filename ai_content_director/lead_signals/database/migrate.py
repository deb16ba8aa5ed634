"""Bring a database to the newest revision, and tell whether it is there."""

import asyncio
import sys
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.availability import database_is_away, why_away
from lead_signals.database.engine import UnsafeDatabaseError, assert_safe
from lead_signals.log_context import get_logger

log = get_logger(__name__)

WAIT_SECONDS = 1.0

MIGRATOR = "lead-signals migration"  # as application_name
ONE_MIGRATOR_LOCK = 7_310_242_026  # any number, the same for all of us
TURN_SECONDS = 120  # another migration may have a large table to go through
LOCK_SECONDS = 5  # a migration that waits behind a long reader makes everybody else wait behind it

NEWER_DATABASE = "This database was migrated by a newer version of Lead Signals: run that version."

ALEMBIC_INI = Path(__file__).resolve().parents[2] / "alembic.ini"


class MigrationError(Exception):
    """A migration gave up waiting; the message says for what, and what to do. What it had not finished is undone."""


def migrate(addresses: DatabaseAddresses, revision: str = "head") -> None:
    """Upgrade to `revision`; safe to run twice and at the same time elsewhere (one migrator at a time). Not from a running event loop.

    Raises MigrationError when it has to wait too long, RoleBootstrapError when it may not make the roles, and what the driver raises.
    """
    config = Config(str(ALEMBIC_INI))
    config.attributes["addresses"] = addresses
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        raise MigrationError(f"{NEWER_DATABASE} Nothing was changed.") from None


async def take_turn(connection: AsyncConnection) -> None:
    """Become this database's one migrator for as long as the connection lasts, and let no later statement wait long for a lock.

    Waits behind another migrator, says so on standard error, and raises MigrationError after TURN_SECONDS.
    """
    await _set_lock_timeout(connection, TURN_SECONDS)
    if not (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ONE_MIGRATOR_LOCK})).scalar_one():
        sys.stderr.write(f"Another migration of this database is running; waiting for it, up to {TURN_SECONDS} s ...\n")
        try:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_MIGRATOR_LOCK})
        except DBAPIError as error:
            if not waited_too_long(error):
                raise
            raise MigrationError(
                f"Another migration of this database still runs after {TURN_SECONDS} s; nothing was changed. Run this one again when it is"
                f" through; pg_stat_activity shows it as '{MIGRATOR}'."
            ) from None
    await _set_lock_timeout(connection, LOCK_SECONDS)


async def _set_lock_timeout(connection: AsyncConnection, seconds: int) -> None:
    await connection.execute(text("SELECT set_config('lock_timeout', :value, false)"), {"value": f"{seconds}s"})


def waited_too_long(error: DBAPIError) -> bool:
    """Whether the server gave up a statement because it did not get a lock within lock_timeout."""
    return isinstance(getattr(error.orig, "__cause__", None), asyncpg.LockNotAvailableError)


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
            if isinstance(error, UnsafeDatabaseError) or not database_is_away(error):
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
