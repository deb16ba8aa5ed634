"""Index walks: let the statements of this transaction go by index only.

Each of them touches a few rows of a table that may be empty in the morning and hold a million in the evening. Plans are kept, and one made
over ten rows reads the table from end to end: 40 ms for each claim until the statistics follow, a minute later.
"""

from sqlalchemy import text

from lead_signals.tenancy.tenant_session import AcrossTenantsSession

_OFF = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_sort")
_WALK_INDEXES = text("SELECT " + ", ".join(f"set_config('{name}', 'off', true)" for name in _OFF))


async def walk_indexes(session: AcrossTenantsSession) -> None:
    """Until the transaction ends."""
    await session.execute(_WALK_INDEXES)
