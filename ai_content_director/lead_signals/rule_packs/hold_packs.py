"""Hold a tenant's rule packs: who adds a version or turns to one does so after the other."""

import hashlib
from uuid import UUID

from sqlalchemy import text

from lead_signals.tenancy.tenant_session import TenantSession


async def hold_packs(session: TenantSession, tenant_id: UUID) -> None:
    """Until the transaction ends, nobody else adds or turns packs of this tenant. Before any of them is read in this transaction."""
    key = int.from_bytes(hashlib.sha256(b"rule packs of " + tenant_id.bytes).digest()[:8], signed=True)
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
