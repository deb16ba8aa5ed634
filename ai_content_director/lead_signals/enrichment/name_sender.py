"""Name a sender: a name that was found goes on every lead of theirs that has none."""

from uuid import UUID

from sqlalchemy import func, or_, update

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, record
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.look_up import LookUpKind
from lead_signals.tenancy.tenant_session import TenantSession


async def name_sender(
    session: TenantSession, tenant_id: UUID, *, platform: str, author_id: str, name: str, name_before: str | None
) -> list[UUID]:
    """Put the name on the sender's leads that have none, or that bear the name found before; the ids of those it was put on."""
    without_name = lead_signals.c.author_name.is_(None)
    renamed = name_before is not None and name_before != name
    named = await session.execute(
        update(lead_signals)
        .where(
            lead_signals.c.tenant_id == tenant_id,
            lead_signals.c.platform == platform,
            lead_signals.c.author_id == author_id,
            or_(without_name, lead_signals.c.author_name == name_before) if renamed else without_name,
        )
        .values(author_name=name, updated_at=func.now())
        .returning(lead_signals.c.id)
    )
    lead_ids = list(named.scalars())
    await record(session, tenant_id, [_completed(lead_id) for lead_id in lead_ids])
    return lead_ids


def _completed(lead_id: UUID) -> AuditEvent:
    return AuditEvent(
        AuditEventType.LEAD_SIGNAL_COMPLETED,
        entity_type="lead_signal",
        entity_id=lead_id,
        detail={"look_up": LookUpKind.SENDER_NAME.value},
    )
