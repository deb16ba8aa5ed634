"""The two roles from the first day: one owns the tables and migrates, one works and owns nothing.

Neither is a superuser, neither has BYPASSRLS. The bootstrap runs at the head of every migration, as whoever migrates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.scram_verifier import scram_verifier

OWNER_ROLE = "lead_signals_owner"
APP_ROLE = "lead_signals_app"

ATTEMPTS = 5  # each neighbour that bootstraps its own database in this cluster at the same moment can cost two


class RoleBootstrapError(Exception):
    """The roles could not be made ready; the message says why, and holds the SQL for an administrator where that is what it takes."""


@dataclass(frozen=True, slots=True)
class _Login:
    """Who migrates. `name` is quoted for SQL; `usable`: those of our roles that exist, and whether the login may become them."""

    name: str
    superuser: bool
    makes_roles: bool
    alters_app: bool
    usable: dict[str, bool]


async def bootstrap_roles(connection: AsyncConnection, app_address: str | None) -> None:
    """Make both roles where they are missing, and let the connection become the owner.

    `app_address` is the application's DATABASE_URL: when it logs in as the application role with a password, the role gets
    that login. Raises RoleBootstrapError when a role does not exist or is closed to the login, which may not change that.
    """
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            async with connection.begin_nested():
                await _bootstrap(connection, app_address)
            return
        except DBAPIError as error:
            # Roles belong to the whole cluster: a migration of another database may have made or changed the same one just now.
            if not (attempts_left and _somebody_was_faster(error)):
                raise


def _somebody_was_faster(error: DBAPIError) -> bool:
    cause = _cause(error)
    if isinstance(cause, asyncpg.InternalServerError):
        return "tuple concurrently" in str(cause)  # all that PostgreSQL says of two ALTER ROLE or GRANT at once
    return isinstance(cause, (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError))


async def _bootstrap(connection: AsyncConnection, app_address: str | None) -> None:
    login = await _login(connection)
    missing = [role for role in (OWNER_ROLE, APP_ROLE) if role not in login.usable]
    closed = [role for role in (OWNER_ROLE, APP_ROLE) if not login.usable.get(role, login.superuser)]
    if (missing or closed) and not login.makes_roles:
        raise _ask_the_administrator(login, missing, closed)
    for role in missing:
        await connection.execute(text(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"))
    try:
        for role in closed:
            await connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    except DBAPIError as error:  # since PostgreSQL 16 CREATEROLE alone opens nobody else's roles
        if not isinstance(_cause(error), asyncpg.InsufficientPrivilegeError):
            raise
        raise _ask_the_administrator(login, [], closed) from None
    if login.alters_app or APP_ROLE in missing:
        await _open_app_login(connection, app_address)
    await _open_database(connection, login)


async def _login(connection: AsyncConnection) -> _Login:
    found = (
        await connection.execute(
            text(
                "SELECT quote_ident(current_user) AS name, rolsuper, rolcreaterole,"
                " current_setting('server_version_num')::int >= 160000 AS apart"
                " FROM pg_roles WHERE rolname = current_user"
            )
        )
    ).one()
    roles = await connection.execute(
        text(
            "SELECT rolname, pg_has_role(current_user, oid, :become) AS usable,"
            " pg_has_role(current_user, oid, 'MEMBER WITH ADMIN OPTION') AS ours"
            " FROM pg_roles WHERE rolname IN (:owner, :app)"
        ),
        # Since 16 a role's maker is its member without being allowed to become it.
        {"become": "SET" if found.apart else "MEMBER", "owner": OWNER_ROLE, "app": APP_ROLE},
    )
    rows = {row.rolname: row for row in roles}
    return _Login(
        name=found.name,
        superuser=found.rolsuper,
        makes_roles=found.rolsuper or found.rolcreaterole,
        # … and changes only those roles that were given to it to hand on.
        alters_app=found.rolsuper or (found.rolcreaterole and APP_ROLE in rows and (rows[APP_ROLE].ours or not found.apart)),
        usable={name: row.usable for name, row in rows.items()},
    )


def _ask_the_administrator(login: _Login, missing: Sequence[str], closed: Sequence[str]) -> RoleBootstrapError:
    if login.name == APP_ROLE:  # granting it the owner would pull the walls down
        return RoleBootstrapError(
            f"{APP_ROLE} is the application's login and must never own the tables: set DATABASE_OWNER_URL to a login that may migrate."
        )
    statements = [*(f"CREATE ROLE {role} NOLOGIN;" for role in missing), f"GRANT {', '.join(closed)} TO {login.name};"]
    return RoleBootstrapError(
        f"{login.name} may not make or open the roles it needs. Ask the administrator of the server to run:\n" + "\n".join(statements)
    )


async def _open_app_login(connection: AsyncConnection, app_address: str | None) -> None:
    """Give the application role its login, when DATABASE_URL logs in as that very role."""
    if app_address is None:
        return
    url = make_url(app_address)
    if url.username != APP_ROLE:
        return
    # ALTER ROLE takes no bind parameters, and servers log it as it comes: what stands in it opens nothing.
    password = f" PASSWORD '{scram_verifier(str(url.password))}'" if url.password else ""
    try:
        await connection.exec_driver_sql(f"ALTER ROLE {APP_ROLE} LOGIN{password}")
    except DBAPIError as error:
        if _somebody_was_faster(error) or error.connection_invalidated:
            raise
        raise RoleBootstrapError(f"PostgreSQL refuses to give {APP_ROLE} the login that DATABASE_URL has ({_refusal(error)}).") from None


async def _open_database(connection: AsyncConnection, login: _Login) -> None:
    """Let both roles into this database; who may not grant that needs to find it granted."""
    database = (await connection.execute(text("SELECT quote_ident(current_database())"))).scalar_one()
    grants = [
        f"GRANT CONNECT ON DATABASE {database} TO {APP_ROLE}",
        f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER_ROLE}",
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
    ]
    try:
        async with connection.begin_nested():
            for grant in grants:
                await connection.execute(text(grant))
    except DBAPIError as error:
        if not isinstance(_cause(error), asyncpg.InsufficientPrivilegeError):
            raise
    if not await _is_open(connection):
        raise RoleBootstrapError(
            f"{login.name} may not open this database to the roles. Ask its owner or the administrator of the server to run, in"
            f" {database}:\n" + "\n".join(f"{grant};" for grant in grants)
        )


async def _is_open(connection: AsyncConnection) -> bool:
    found = await connection.execute(
        text(
            "SELECT has_database_privilege(:app, current_database(), 'CONNECT') AND has_schema_privilege(:app, 'public', 'USAGE')"
            " AND has_schema_privilege(:owner, 'public', 'CREATE') AND has_schema_privilege(:owner, 'public', 'USAGE')"
        ),
        {"app": APP_ROLE, "owner": OWNER_ROLE},
    )
    return bool(found.scalar_one())


def _refusal(error: DBAPIError) -> str:
    """What the server said, without the statement it said it of."""
    return " ".join(str(_cause(error)).split())


def _cause(error: DBAPIError) -> BaseException | None:
    return getattr(error.orig, "__cause__", None)
