"""How we reach PostgreSQL: the address as the driver wants it, and an engine that speaks as the application role."""

import orjson
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from lead_signals.database.roles import APP_ROLE, OWNER_ROLE

CONNECT_TIMEOUT_SECONDS = 5
POOL_TIMEOUT_SECONDS = 2  # a request waits this long for a connection, then answers 503 instead of hanging
STATEMENT_TIMEOUT = "15s"
IDLE_IN_TRANSACTION_TIMEOUT = "30s"  # one idle transaction halves the speed of every queue beside it


class DatabaseAddressError(Exception):
    """DATABASE_URL cannot be used; the message says why and shows the shape, never the password."""


class UnsafeDatabaseError(Exception):
    """The database or its role would break a promise (walls, durability); the message says which and what to do."""


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


def app_engine(address: str, *, application_name: str, pool_size: int = 10) -> AsyncEngine:
    """An engine whose every connection acts as the application role, which owns nothing and cannot pass the tenant walls.

    The login in `address` is that role itself, or one that may become it.
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
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": {
                "role": APP_ROLE,
                "application_name": application_name,
                "timezone": "UTC",
                "statement_timeout": STATEMENT_TIMEOUT,
                "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
            },
        },
    )


async def assert_safe(connection: AsyncConnection) -> None:
    """Refuse a database on which a promise would not hold.

    Raises UnsafeDatabaseError when the role passes row-level security or owns our tables, or when commits are not durable.
    """
    role = (
        await connection.execute(
            text(
                "SELECT current_user AS name, rolsuper, rolbypassrls,"
                " EXISTS (SELECT FROM pg_roles o WHERE o.rolname = :owner AND pg_has_role(current_user, o.oid, 'MEMBER'))"
                " OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
                " AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS owns,"
                " current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,"
                " current_setting('synchronous_commit') AS synchronous_commit, current_setting('server_version_num')::int AS version"
                " FROM pg_roles WHERE rolname = current_user"
            ),
            {"owner": OWNER_ROLE},
        )
    ).one()
    if role.rolsuper or role.rolbypassrls or role.owns:
        raise UnsafeDatabaseError(
            f"the application would work as {role.name}, which passes the tenant walls; let DATABASE_URL log in as {APP_ROLE}"
        )
    if "off" in (role.fsync, role.full_page_writes, role.synchronous_commit):
        raise UnsafeDatabaseError(
            "fsync, full_page_writes and synchronous_commit must be on in PostgreSQL: with one of them off an acknowledged lead can vanish"
        )
    if role.version < 150000:
        raise UnsafeDatabaseError(f"PostgreSQL {role.version // 10000} is too old: 15 or newer is needed")
