"""Hold a tenant's history: who opens leads and who changes what was said do not do so at the same moment."""

import hashlib
from uuid import UUID

from sqlalchemy import text

from lead_signals.tenancy.tenant_session import TenantSession

_SHARED = text("SELECT pg_advisory_xact_lock_shared(:key)")
_ALONE = text("SELECT pg_advisory_xact_lock(:key)")


async def hold_history(session: TenantSession, tenant_id: UUID, *, changing: bool) -> None:
    """Take this tenant's history lock until the transaction ends, before anything of the tenant is read or written. One round trip.

    Transactions that only add leads share it; one that records changes (`changing`) has it alone. Otherwise the one that opens a
    lead and the one that records its change would each commit without seeing the other's row, and the change would be lost.

    Call it once for each tenant of a transaction, tenants in one order for all (by id), outside any savepoint, with `changing`
    true when any part of the transaction has changes for this tenant: two that shared it and then both want it alone wait for ever.
    """
    await session.execute(_ALONE if changing else _SHARED, {"key": _key(tenant_id)})


def _key(tenant_id: UUID) -> int:
    """64 bits, signed, as PostgreSQL counts advisory locks. Two tenants of one key would only wait for each other."""
    return int.from_bytes(hashlib.sha256(b"lead history of " + tenant_id.bytes).digest()[:8], signed=True)
