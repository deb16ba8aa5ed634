"""How we reach PostgreSQL: the address as the driver wants it, and an engine that speaks as the application role on a safe database."""

from collections.abc import Mapping
from functools import partial
from typing import Any, TypeAlias

import asyncpg
import orjson
from sqlalchemy import URL, make_url, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from lead_signals.database.roles import APP_ROLE, OWNER_ROLE
from lead_signals.log_context import get_logger

log = get_logger(__name__)

PlainConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CONNECT_TIMEOUT_SECONDS = 5
POOL_TIMEOUT_SECONDS = 2  # a request waits this long for a connection, then answers 503 instead of hanging
STATEMENT_TIMEOUT = "15s"
IDLE_IN_TRANSACTION_TIMEOUT = "30s"  # one idle transaction halves the speed of every queue beside it


class DatabaseAddressError(Exception):
    """DATABASE_URL cannot be used; the message says why and shows the shape, never the password."""


class UnsafeDatabaseError(ConnectionError):
    """The database or its role would break a promise (walls, durability); the message says which and what to do.

    The connection is refused, by us: a request gets the 503 of a database that is away, and a worker waits until it is mended.
    """


def asyncpg_url(address: str) -> URL:
    """`postgresql://`, `postgres://` or `postgresql+asyncpg://` as SQLAlchemy's asyncpg dialect wants it.

    libpq's `sslmode` becomes asyncpg's `ssl`, which takes the same words.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise DatabaseAddressError("DATABASE_URL is not an address: expected postgresql://user:password@host:5432/database") from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise DatabaseAddressError(f"DATABASE_URL speaks {url.drivername}: Lead Signals keeps its data in PostgreSQL only (postgresql://…)")
    url = url.set(drivername="postgresql+asyncpg")
    if "sslmode" in url.query:
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": str(url.query["sslmode"])})
    return url


async def connect_plainly(address: str, *, application_name: str) -> PlainConnection:
    """A connection of the driver's own, outside any pool, as the login of `address`; read by the same rules as an engine reads it.

    Raises DatabaseAddressError, and what the driver raises when it cannot connect.
    """
    # As keywords: of a DSN asyncpg sends every word it does not know to the server as a setting, and `ssl` is one of those.
    _, arguments = PGDialect_asyncpg().create_connect_args(asyncpg_url(address))  # type: ignore[no-untyped-call]
    for only_for_the_engine in ("prepared_statement_cache_size", "prepared_statement_name_func"):
        arguments.pop(only_for_the_engine, None)
    connection: PlainConnection = await asyncpg.connect(
        **{**arguments, "timeout": CONNECT_TIMEOUT_SECONDS, "server_settings": {"application_name": application_name}}
    )
    return connection


def app_engine(address: str, *, application_name: str, pool_size: int = 10, production: bool = False) -> AsyncEngine:
    """An engine whose every connection acts as the application role, which owns nothing and cannot pass the tenant walls.

    The login in `address` is that role itself, or one that may become it. Each new connection is asked once whether the database is
    safe: on one that is not, connecting raises UnsafeDatabaseError. In production the login itself must not pass the walls either.
    """
    return create_async_engine(
        asyncpg_url(address),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_pre_ping=False,  # a lost connection costs one 503, a ping costs every request a round trip
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # what a person wrote stays out of tracebacks
        connect_args={
            "async_creator_fn": partial(_connect_safely, production=production),
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": {
                "role": APP_ROLE,
                "application_name": application_name,
                "timezone": "UTC",
                "jit": "off",  # our statements touch few rows; compiling one costs a hundred times what it takes
                "statement_timeout": STATEMENT_TIMEOUT,
                "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
            },
        },
    )


async def _connect_safely(*, production: bool, **arguments: Any) -> PlainConnection:
    """A new connection of the pool, looked at before it carries anything: the database may be another one than at our start."""
    connection: PlainConnection = await asyncpg.connect(**arguments)
    try:
        found = await connection.fetchrow(_WHAT_MUST_HOLD, timeout=CONNECT_TIMEOUT_SECONDS)
        if found is None:
            raise asyncpg.InterfaceError("the role of this connection is gone")
        _refuse_unsafe(dict(found), production=production)
    except BaseException as error:
        if isinstance(error, UnsafeDatabaseError):
            log.error("database_refused", reason=str(error))
        connection.terminate()
        raise
    return connection


async def assert_safe(connection: AsyncConnection) -> None:
    """Refuse a database on which a promise would not hold; for a connection that may be older than the fault.

    Raises UnsafeDatabaseError when the role passes row-level security or owns our tables, or when commits are not durable.
    """
    found = (await connection.execute(text(_WHAT_MUST_HOLD))).one()
    _refuse_unsafe(found._asdict(), production=False)


_WHAT_MUST_HOLD = f"""
    SELECT current_user AS name, r.rolsuper OR r.rolbypassrls
           OR EXISTS (SELECT FROM pg_roles o WHERE o.rolname = '{OWNER_ROLE}' AND pg_has_role(current_user, o.oid, 'MEMBER'))
           OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                      AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS passes_walls,
           session_user AS login, l.rolsuper OR l.rolbypassrls AS login_passes_walls,
           current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit, current_setting('server_version_num')::int AS version
    FROM pg_roles r, pg_roles l WHERE r.rolname = current_user AND l.rolname = session_user"""  # noqa: S608 - our own role's name


def _refuse_unsafe(found: Mapping[str, Any], *, production: bool) -> None:
    if found["passes_walls"]:
        raise UnsafeDatabaseError(
            f"the application would work as {found['name']}, which passes the tenant walls; let DATABASE_URL log in as {APP_ROLE}"
        )
    if production and found["login_passes_walls"]:
        raise UnsafeDatabaseError(
            f"DATABASE_URL logs in as {found['login']}, which can pass the tenant walls at any time; in production let it log in as"
            f" {APP_ROLE}, and migrate with DATABASE_OWNER_URL"
        )
    if "off" in (found["fsync"], found["full_page_writes"], found["synchronous_commit"]):
        raise UnsafeDatabaseError(
            "fsync, full_page_writes and synchronous_commit must be on in PostgreSQL: with one of them off an acknowledged lead can vanish"
        )
    if found["version"] < 150000:
        raise UnsafeDatabaseError(f"PostgreSQL {found['version'] // 10000} is too old: 15 or newer is needed")
