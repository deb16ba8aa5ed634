"""A stored pack: one version of a tenant's own rules, as they were written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, ForeignKeyConstraint, Integer, Table, Text, Uuid, func, select, text

from lead_signals.database.metadata import metadata
from lead_signals.tenancy.tenant_session import TenantSession

rule_packs = Table(
    "rule_packs",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("version >= 1", "version"),
)

# The turn with the highest number is in force; version NULL is the packaged rules alone.
rule_pack_turns = Table(
    "rule_pack_turns",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer),
    Column("turned_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(
        ["tenant_id", "version"], ["rule_packs.tenant_id", "rule_packs.version"], name="fk_rule_pack_turns_rule_packs", ondelete="CASCADE"
    ),
    CheckConstraint("turn >= 1", "turn"),
)


@dataclass(frozen=True, slots=True)
class StoredPack:
    """One version with its YAML."""

    version: int
    content: str
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PackLine:
    """One version in a list: without its YAML, which may be a megabyte."""

    version: int
    size_bytes: int
    note: str
    created_at: datetime


async def find_pack(session: TenantSession, tenant_id: UUID, version: int) -> StoredPack | None:
    """That version, or None when the tenant has none of that number."""
    columns = rule_packs.c
    row = (
        await session.execute(
            select(columns.version, columns.content, columns.note, columns.created_at).where(
                columns.tenant_id == tenant_id, columns.version == version
            )
        )
    ).one_or_none()
    return None if row is None else StoredPack(*row)


async def newest_pack(session: TenantSession, tenant_id: UUID) -> StoredPack | None:
    """The version with the highest number, or None when the tenant never had rules of its own."""
    version = (await session.execute(select(func.max(rule_packs.c.version)).where(rule_packs.c.tenant_id == tenant_id))).scalar_one()
    return None if version is None else await find_pack(session, tenant_id, version)


async def list_packs(session: TenantSession, tenant_id: UUID) -> Sequence[PackLine]:
    """All versions of a tenant, newest first."""
    columns = rule_packs.c
    rows = await session.execute(
        select(columns.version, func.octet_length(columns.content), columns.note, columns.created_at)
        .where(columns.tenant_id == tenant_id)
        .order_by(columns.version.desc())
    )
    return [PackLine(*row) for row in rows]
