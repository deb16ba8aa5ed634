"""A tenant's API key: lets a program of the tenant deliver for it without the platform's signature. Kept as a hash, shown once.

The tenant's id stands in the key, so that looking it up happens behind that tenant's wall: `lsk_<32 hex digits>_<43 characters>`.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, LargeBinary, Table, Text, Uuid, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

tenant_api_keys = Table(
    "tenant_api_keys",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key_sha256", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("revoked_at", DateTime(timezone=True)),
)

MOST_LOOKED_UP = 3  # a request has two places for a key; thousands of made-up ones in its headers must not be thousands of queries

_KEY = re.compile(rb"lsk_([0-9a-f]{32})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown: never the key itself."""

    id: UUID
    name: str
    created_at: datetime
    revoked_at: datetime | None


async def make_api_key(session: TenantSession, tenant_id: UUID, name: str) -> tuple[UUID, str]:
    """A new key of this tenant: its id, and the key, which nobody can show again."""
    key_id, key = new_id(), f"lsk_{tenant_id.hex}_{secrets.token_urlsafe(32)}"
    await session.execute(insert(tenant_api_keys).values(tenant_id=tenant_id, id=key_id, name=name, key_sha256=_sha256(key.encode())))
    return key_id, key


async def revoke_api_key(session: TenantSession, tenant_id: UUID, key_id: UUID) -> bool:
    """Close a key for ever. False when this tenant has no such open key."""
    revoked = await session.execute(
        update(tenant_api_keys)
        .where(tenant_api_keys.c.tenant_id == tenant_id, tenant_api_keys.c.id == key_id, tenant_api_keys.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return bool(revoked.rowcount == 1)


async def list_api_keys(session: TenantSession, tenant_id: UUID) -> Sequence[ApiKey]:
    """All keys this tenant ever had, newest first."""
    keys = tenant_api_keys.c
    rows = await session.execute(
        select(keys.id, keys.name, keys.created_at, keys.revoked_at)
        .where(keys.tenant_id == tenant_id)
        .order_by(keys.created_at.desc(), keys.id.desc())
    )
    return [ApiKey(row.id, row.name, row.created_at, row.revoked_at) for row in rows]


async def tenant_of_api_key(engine: AsyncEngine, shown: Iterable[bytes]) -> UUID | None:
    """The tenant whose open key is among the first few shown that look like one; None when none is one."""
    for said in islice((said for key in shown if (said := _KEY.fullmatch(key))), MOST_LOOKED_UP):
        tenant_id = UUID(said[1].decode())
        async with tenant_session(engine, tenant_id) as session:
            # Compared by hash, in the index of nobody: how long it takes says nothing about the key.
            known = await session.execute(
                select(tenant_api_keys.c.id).where(
                    tenant_api_keys.c.tenant_id == tenant_id,
                    tenant_api_keys.c.key_sha256 == _sha256(said[0]),
                    tenant_api_keys.c.revoked_at.is_(None),
                )
            )
            if known.first() is not None:
                return tenant_id
    return None


def _sha256(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()  # 256 random bits need no salt and no slow hash
