"""Which failures mean that the database is away, so that an entrance can answer 503 and a worker can wait."""

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lead_signals.database.refused_values import values_refused

# asyncpg raises these bare when a connection breaks below SQLAlchemy or while a pool connects. The dialect maps most of what the
# server says to one general error, so the driver's own class behind it decides.
_DRIVER_ERRORS = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled by statement_timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,  # a deadlock's victim: the same work succeeds the next time
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,  # reached, and not migrated yet
)


def database_is_away(error: BaseException) -> bool:
    """True when `error` says that PostgreSQL cannot be reached, does not let us in or dropped us; the same work may succeed later."""
    if values_refused(error):
        return False
    if isinstance(error, (PoolTimeoutError, TimeoutError, *_DRIVER_ERRORS)):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, (InterfaceError, OperationalError)):
            return True
        if error.statement is None and not isinstance(error, IntegrityError):
            return True  # no statement ran: the connection itself was refused, for example because its role was never made
        return isinstance(_cause(error), _DRIVER_ERRORS)
    return False


def why_away(error: BaseException) -> str:
    """One word for it, the driver's class: never the message, which may name hosts and logins."""
    cause = _cause(error)
    return (error if cause is None else cause).__class__.__name__


def _cause(error: BaseException) -> BaseException | None:
    return getattr(error.orig, "__cause__", None) if isinstance(error, DBAPIError) else None
