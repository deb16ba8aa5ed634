"""How a migration runs: as the owner role, one migrator at a time, never waiting long for a lock, each revision in one transaction.

The address is DATABASE_OWNER_URL, else DATABASE_URL, else the embedded server of the default data directory. A caller within
the program passes its own as `config.attributes["addresses"]`.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

# Each slice declares its tables on the one metadata; importing them here lets `alembic check` compare.
import lead_signals.audit.audit_event
import lead_signals.database.heartbeat
import lead_signals.followups.delivery_attempt
import lead_signals.followups.follow_up
import lead_signals.intake.receipt
import lead_signals.intake.unrouted_delivery
import lead_signals.leads.content_item
import lead_signals.leads.lead_signal
import lead_signals.tenancy.channel
import lead_signals.tenancy.tenant  # noqa: F401
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded_database import database_of
from lead_signals.database.engine import asyncpg_url
from lead_signals.database.metadata import metadata
from lead_signals.database.roles import OWNER_ROLE, bootstrap_roles
from lead_signals.settings import read_settings

ONE_MIGRATOR_LOCK = 7_310_242_026  # any number, the same for all of us
LOCK_TIMEOUT = "5s"  # a migration that waits behind a long reader makes everybody else wait behind it


def run() -> None:
    """Migrate the database that the environment, or the caller, names."""
    if context.is_offline_mode():
        raise SystemExit("Migrations read the database's roles: run them against a server (no --sql).")
    given: DatabaseAddresses | None = context.config.attributes.get("addresses")
    if given is not None:
        asyncio.run(_migrate(given))
        return
    with database_of(read_settings()) as addresses:
        asyncio.run(_migrate(addresses))


async def _migrate(addresses: DatabaseAddresses) -> None:
    engine = create_async_engine(asyncpg_url(addresses.owner), poolclass=pool.NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_MIGRATOR_LOCK})
            await connection.execute(text("SELECT set_config('lock_timeout', :value, false)"), {"value": LOCK_TIMEOUT})
            await bootstrap_roles(connection, addresses.app)
            await connection.execute(text(f"SET ROLE {OWNER_ROLE}"))
            await connection.commit()
            await connection.run_sync(_run_revisions)
            await connection.commit()
    finally:
        await engine.dispose()


def _run_revisions(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run()
