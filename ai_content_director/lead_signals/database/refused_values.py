"""Which failures mean that PostgreSQL refused what a statement holds: trying again is no use, leaving the strange value out is."""

import asyncpg
from sqlalchemy.exc import DBAPIError

_REFUSALS = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,  # U+0000 in a text, a number out of range, a lone surrogate that the driver cannot encode
    asyncpg.ProgramLimitExceededError,  # an index entry above 2,704 bytes, JSON too deep
)


def values_refused(error: BaseException) -> bool:
    """True when a value is at fault. The dialect has one general error for most of these: the driver's own class decides."""
    if not isinstance(error, DBAPIError) or error.statement is None:
        return False
    return isinstance(getattr(error.orig, "__cause__", None), _REFUSALS)
