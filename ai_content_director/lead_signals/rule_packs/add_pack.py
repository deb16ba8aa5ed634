"""Add a pack: the rules that a tenant wrote become its next version. Nothing judges by it before it is turned to."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.rule_packs.hold_packs import hold_packs
from lead_signals.rule_packs.stored_pack import newest_pack, rule_packs
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class AddedPack:
    """The version that holds the content; `is_new` false when it was the newest one already, and nothing was added."""

    version: int
    is_new: bool


async def add_pack(session: TenantSession, tenant_id: UUID, content: str, note: str = "") -> AddedPack:
    """Store `content`, which compiled. Two that add at once get different versions, one after the other."""
    await hold_packs(session, tenant_id)
    newest = await newest_pack(session, tenant_id)
    if newest is not None and newest.content == content:
        return AddedPack(newest.version, is_new=False)
    version = 1 if newest is None else newest.version + 1
    await session.execute(insert(rule_packs).values(tenant_id=tenant_id, version=version, content=content, note=note))
    event = AuditEvent(AuditEventType.RULE_PACK_ADDED, "rule_pack", tenant_id, {"version": version}, OPERATOR)
    await record(session, tenant_id, [event])
    return AddedPack(version, is_new=True)
