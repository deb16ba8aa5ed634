"""Which failures mean that the database is away, so that an entrance can answer 503 and a worker can wait."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# asyncpg raises these bare when a connection breaks below SQLAlchemy or while a pool connects.
_BARE_DRIVER_ERRORS = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


def database_is_away(error: BaseException) -> bool:
    """True when `error` says that PostgreSQL cannot be reached or dropped us; the same work may succeed later."""
    if isinstance(error, (PoolTimeoutError, TimeoutError, *_BARE_DRIVER_ERRORS)):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, (InterfaceError, OperationalError)):
            return True
        cause = getattr(error.orig, "__cause__", None)
        return isinstance(cause, _BARE_DRIVER_ERRORS)
    return False
