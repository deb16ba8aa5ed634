"""The two roles from the first day: one owns the tables and migrates, one works and owns nothing.

Neither is a superuser, neither has BYPASSRLS. The bootstrap runs at the head of every migration, as whoever migrates.
"""

from collections.abc import Sequence

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

OWNER_ROLE = "lead_signals_owner"
APP_ROLE = "lead_signals_app"


class RoleBootstrapError(Exception):
    """The migrating login may not make the roles; the message holds the SQL for an administrator."""


async def bootstrap_roles(connection: AsyncConnection, app_address: str | None) -> None:
    """Make both roles where they are missing, and let the connection become the owner.

    `app_address` is the application's DATABASE_URL: when it logs in as the application role with a password, the role gets
    that login. Raises RoleBootstrapError when a role does not exist or is closed to the login, which may not change that.
    """
    login = (
        await connection.execute(text("SELECT current_user AS name, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"))
    ).one()
    usable = await _roles_usable_by_login(connection)
    missing = [role for role in (OWNER_ROLE, APP_ROLE) if role not in usable]
    closed = [role for role in (OWNER_ROLE, APP_ROLE) if not usable.get(role, login.rolsuper)]
    if (missing or closed) and not (login.rolsuper or login.rolcreaterole):
        raise _ask_the_administrator(login.name, missing, closed)
    for role in missing:
        await connection.execute(text(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"))
    try:
        for role in closed:
            await connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    except DBAPIError as error:  # since PostgreSQL 16 CREATEROLE alone opens nobody else's roles
        if not isinstance(getattr(error.orig, "__cause__", None), asyncpg.InsufficientPrivilegeError):
            raise
        raise _ask_the_administrator(login.name, [], closed) from None
    if login.rolsuper or login.rolcreaterole:
        await _open_app_login(connection, app_address)
    database = (await connection.execute(text("SELECT quote_ident(current_database())"))).scalar_one()
    if login.rolsuper or await _owns_database(connection):
        await connection.execute(text(f"GRANT CONNECT ON DATABASE {database} TO {APP_ROLE}"))
        await connection.execute(text(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER_ROLE}"))
        await connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}"))


async def _roles_usable_by_login(connection: AsyncConnection) -> dict[str, bool]:
    """Those of our roles that exist, and whether the login may become them."""
    version = int((await connection.execute(text("SELECT current_setting('server_version_num')"))).scalar_one())
    rows = await connection.execute(
        text("SELECT rolname, pg_has_role(current_user, oid, :how) AS usable FROM pg_roles WHERE rolname IN (:owner, :app)"),
        # Since 16 a role's maker is its member without being allowed to become it.
        {"how": "SET" if version >= 160000 else "MEMBER", "owner": OWNER_ROLE, "app": APP_ROLE},
    )
    return {row.rolname: row.usable for row in rows}


def _ask_the_administrator(login: str, missing: Sequence[str], closed: Sequence[str]) -> RoleBootstrapError:
    statements = [*(f"CREATE ROLE {role} NOLOGIN;" for role in missing), f"GRANT {', '.join(closed)} TO {login};"]
    return RoleBootstrapError(
        f"{login} may not make or open the roles it needs. Ask the administrator of the server to run:\n" + "\n".join(statements)
    )


async def _owns_database(connection: AsyncConnection) -> bool:
    return bool(
        (
            await connection.execute(
                text("SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()")
            )
        ).scalar_one()
    )


async def _open_app_login(connection: AsyncConnection, app_address: str | None) -> None:
    """Give the application role its login, when DATABASE_URL logs in as that very role."""
    if app_address is None:
        return
    url = make_url(app_address)
    if url.username != APP_ROLE:
        return
    if not url.password:
        await connection.execute(text(f"ALTER ROLE {APP_ROLE} LOGIN"))
        return
    # ALTER ROLE takes no bind parameters: the server itself quotes the password.
    statement = (
        await connection.execute(
            text("SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', CAST(:role AS text), CAST(:password AS text))"),
            {"role": APP_ROLE, "password": str(url.password)},
        )
    ).scalar_one()
    await connection.exec_driver_sql(statement)
