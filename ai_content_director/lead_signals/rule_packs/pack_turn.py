"""A turn: from now on this version judges a tenant's messages, or (no version) the packaged rules alone. The newest turn is in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.rule_packs.stored_pack import rule_pack_turns
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession


@dataclass(frozen=True, slots=True)
class Turn:
    """The `turn`-th turn of a tenant; `version` None is the packaged rules alone."""

    turn: int
    version: int | None
    turned_at: datetime


async def newest_turns(session: TenantSession, tenant_id: UUID, *, most: int) -> list[Turn]:
    """The last turns of a tenant, newest first; the first of them is in force. Empty: it was never turned to rules of its own."""
    columns = rule_pack_turns.c
    rows = await session.execute(
        select(columns.turn, columns.version, columns.turned_at)
        .where(columns.tenant_id == tenant_id)
        .order_by(columns.turn.desc())
        .limit(most)
    )
    return [Turn(*row) for row in rows]


async def version_in_force(session: TenantSession, tenant_id: UUID) -> int | None:
    """Which version judges now; None = the packaged rules alone."""
    newest = await newest_turns(session, tenant_id, most=1)
    return newest[0].version if newest else None


async def versions_in_force(session: AcrossTenantsSession) -> Mapping[UUID, int]:
    """Which version judges each tenant's messages now; tenants that the packaged rules judge are absent."""
    columns = rule_pack_turns.c
    newest = (
        select(columns.tenant_id, columns.version)
        .ext(distinct_on(columns.tenant_id))
        .order_by(columns.tenant_id, columns.turn.desc())
        .subquery()
    )
    rows = await session.execute(select(newest.c.tenant_id, newest.c.version).where(newest.c.version.is_not(None)))
    return {row.tenant_id: row.version for row in rows}


async def write_turn(session: TenantSession, tenant_id: UUID, before: Turn | None, version: int | None) -> None:
    """Turn to `version` after the turn `before`, and record who did. Under `hold_packs`."""
    turn = 1 if before is None else before.turn + 1
    await session.execute(insert(rule_pack_turns).values(tenant_id=tenant_id, turn=turn, version=version))
    detail = {"version": version, "version_before": None if before is None else before.version, "turn": turn}
    await record(session, tenant_id, [AuditEvent(AuditEventType.RULE_PACK_TURNED, "rule_pack", tenant_id, detail, OPERATOR)])
