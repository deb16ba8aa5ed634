"""Reading leads: a page of them newest first, one of them, and how many stand where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from lead_signals.leads.lead_signal import LeadStatus, lead_signals
from lead_signals.leads.message_change import MessageKey, among
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class Lead:
    """One lead signal, as the API shows it: field for field the runbook's list."""

    id: UUID
    tenant_id: UUID
    platform: str
    source_type: str
    source_subtype: str | None
    content_id: UUID | None
    external_post_id: str | None
    external_thread_id: str | None
    external_message_id: str | None
    author_name: str | None
    author_id: str | None
    content_text: str
    intent_label: str
    priority: str
    confidence_score: float
    status: str
    assignee: str | None
    follow_up_at: datetime | None
    last_contact_at: datetime | None
    meta: dict[str, Any]
    created_at: datetime
    updated_at: datetime


def said_at_of(lead: Lead) -> datetime | None:
    """When the platform says that it was said; None when it did not say."""
    try:
        said_at = datetime.fromisoformat(lead.meta["said_at"])
    except (KeyError, TypeError, ValueError):
        return None
    return said_at if said_at.tzinfo is not None else None


_COLUMNS = [lead_signals.c[name] for name in Lead.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Some leads and how many there are in all under the same filter."""

    leads: Sequence[Lead]
    total: int


async def list_leads(session: TenantSession, tenant_id: UUID, *, status: LeadStatus | None, limit: int, offset: int) -> LeadPage:
    """Newest first; leads of one delivery in the reverse of their order in it."""
    where = [lead_signals.c.tenant_id == tenant_id]
    if status is not None:
        where.append(lead_signals.c.status == status.value)
    total = (await session.execute(select(func.count()).select_from(lead_signals).where(*where))).scalar_one()
    rows = await session.execute(
        select(*_COLUMNS).where(*where).order_by(lead_signals.c.created_at.desc(), lead_signals.c.id.desc()).limit(limit).offset(offset)
    )
    return LeadPage([_lead(row) for row in rows], total)


async def find_lead(session: TenantSession, tenant_id: UUID, lead_id: UUID) -> Lead | None:
    """One lead, or None."""
    row = (
        await session.execute(select(*_COLUMNS).where(lead_signals.c.tenant_id == tenant_id, lead_signals.c.id == lead_id))
    ).one_or_none()
    return None if row is None else _lead(row)


async def lock_leads_of_messages(session: TenantSession, tenant_id: UUID, messages: Collection[MessageKey]) -> list[Lead]:
    """The leads of these messages, locked until the transaction ends; in the order of their ids, so that two who lock never deadlock."""
    if not messages:
        return []
    rows = await session.execute(
        select(*_COLUMNS)
        .where(lead_signals.c.tenant_id == tenant_id, *among(lead_signals.c, messages))
        .order_by(lead_signals.c.id)
        .with_for_update(key_share=True)  # no key changes: rows that point at a lead need not wait
    )
    return [lead for row in rows if ((lead := _lead(row)).platform, lead.external_message_id) in messages]


async def count_by_status(session: TenantSession, tenant_id: UUID) -> Mapping[str, int]:
    """How many leads stand in each status; statuses without a lead are absent."""
    rows = await session.execute(
        select(lead_signals.c.status, func.count().label("cnt"))
        .where(lead_signals.c.tenant_id == tenant_id)
        .group_by(lead_signals.c.status)
    )
    return {row.status: row.cnt for row in rows}


def _lead(row: Row[Any]) -> Lead:
    return Lead(**row._mapping)
