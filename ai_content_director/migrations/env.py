"""How a migration runs: as the owner role, one migrator at a time, never waiting long for a lock, each revision in one transaction.

What an operator can mend is told as one sentence on standard error, with exit status 1; the rest keeps its traceback.

The address is DATABASE_OWNER_URL, else DATABASE_URL, else the embedded server of the default data directory. A caller within
the program passes its own as `config.attributes["addresses"]`.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

# Each slice declares its tables on the one metadata; importing them here lets `alembic check` compare.
import lead_signals.audit.audit_event
import lead_signals.connections.channel_check
import lead_signals.connections.channel_hour
import lead_signals.database.heartbeat
import lead_signals.followups.delivery_attempt
import lead_signals.followups.endpoints.endpoint
import lead_signals.followups.follow_up
import lead_signals.followups.oversight.receipt
import lead_signals.intake.receipt
import lead_signals.intake.unrouted_delivery
import lead_signals.leads.content_item
import lead_signals.leads.lead_signal
import lead_signals.leads.look_up
import lead_signals.leads.message_change
import lead_signals.leads.opinion_request
import lead_signals.rule_packs.stored_pack
import lead_signals.second_opinion.opinion_answer
import lead_signals.second_opinion.opinion_day
import lead_signals.tenancy.api_key
import lead_signals.tenancy.channel
import lead_signals.tenancy.tenant  # noqa: F401
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.availability import database_is_away, why_away
from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded_database import database_of
from lead_signals.database.engine import CONNECT_TIMEOUT_SECONDS, DatabaseAddressError, asyncpg_url
from lead_signals.database.metadata import metadata
from lead_signals.database.migrate import LOCK_SECONDS, MIGRATOR, MigrationError, take_turn, waited_too_long
from lead_signals.database.roles import OWNER_ROLE, RoleBootstrapError, bootstrap_roles
from lead_signals.settings import ConfigurationError, read_settings


def run() -> None:
    """Migrate the database that the environment, or the caller, names."""
    if context.is_offline_mode():
        raise SystemExit("Migrations read the database's roles: run them against a server (no --sql).")
    given: DatabaseAddresses | None = context.config.attributes.get("addresses")
    if given is not None:
        asyncio.run(_migrate(given))
        return
    try:
        with database_of(read_settings()) as addresses:
            asyncio.run(_migrate(addresses))
    except Exception as error:
        sentence = _sentence_for_the_operator(error)
        if sentence is None:
            raise
        raise SystemExit(sentence) from None


def _sentence_for_the_operator(error: Exception) -> str | None:
    """What to say instead of a traceback; None when it is a defect."""
    if isinstance(error, (ConfigurationError, DatabaseAddressError, EmbeddedServerError, RoleBootstrapError, MigrationError)):
        return str(error)
    if why_away(error) == "UndefinedTableError" or not database_is_away(error):  # a missing table is ours to explain
        return None
    return f"PostgreSQL cannot be used ({why_away(error)}): are DATABASE_OWNER_URL and DATABASE_URL right, and the server up?"


async def _migrate(addresses: DatabaseAddresses) -> None:
    engine = create_async_engine(
        asyncpg_url(addresses.owner),
        poolclass=pool.NullPool,
        hide_parameters=True,
        connect_args={"timeout": CONNECT_TIMEOUT_SECONDS, "server_settings": {"application_name": MIGRATOR}},
    )
    try:
        async with engine.connect() as connection:
            await take_turn(connection)
            await bootstrap_roles(connection, addresses.app)
            await connection.execute(text(f"SET ROLE {OWNER_ROLE}"))
            await connection.commit()
            await connection.run_sync(_run_revisions)
            await connection.commit()
    except DBAPIError as error:
        if not waited_too_long(error):
            raise
        raise MigrationError(
            f"The migration met a lock timeout: for {LOCK_SECONDS} s somebody held a table or a role that it changes. The revision it was at is"
            " undone; run it again when that long query or transaction is over (see pg_stat_activity)."
        ) from None
    finally:
        await engine.dispose()


def _run_revisions(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run()
