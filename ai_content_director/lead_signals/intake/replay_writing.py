"""Write what a replay found: new verdicts on leads nobody has decided about, leads that were missing, changes that were not seen.

Nothing is promised to anybody: no follow-up and no look-up. What is owed already stays owed, unless its message was taken back.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.exc import DBAPIError

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.database.refused_values import values_refused
from lead_signals.intake.replay_comparison import ChangedLead, Comparison
from lead_signals.leads.apply_changes import apply_changes
from lead_signals.leads.changed_lead import edits_of, without_opinion
from lead_signals.leads.hold_history import hold_history
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.open_leads import LeadDraft, OpenedLead, open_leads
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.leads.record_changes import ChangeDraft, RecordedChange, record_changes
from lead_signals.tenancy.tenant_session import TenantSession

Draft = TypeVar("Draft")
Done = TypeVar("Done")

NOBODY_IS_TOLD = FollowUpPolicy(operator_listens=False, console_base_url=None, promises_nothing=True)


@dataclass(frozen=True, slots=True)
class WrittenByReplay:
    """How much was written. `overtaken`: leads that changed at that moment. `refused`: what PostgreSQL does not take."""

    read_again: int = 0
    created: int = 0
    changes: int = 0
    overtaken: int = 0
    refused: int = 0


async def hold_for_replay(session: TenantSession, tenant_id: UUID, *, changing: bool) -> None:
    """One replay of a tenant at a time, and no change of its messages meanwhile; with `changing`, no new lead either.

    Before anything of the tenant is read in this transaction.
    """
    key = int.from_bytes(hashlib.sha256(b"replay of " + tenant_id.bytes).digest()[:8], signed=True)
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    await hold_history(session, tenant_id, changing=changing)


async def write_comparison(
    session: TenantSession, tenant_id: UUID, comparison: Comparison, received_at: Mapping[UUID, datetime]
) -> WrittenByReplay:
    """Write what this comparison calls for, made in the same transaction under `hold_for_replay`.

    `received_at` says when each receipt came. Raises what the database raises, and then nothing is written.
    """
    read_again = await _read_again(session, tenant_id, comparison.to_read_again)
    opened, refused_leads = await _open(session, tenant_id, comparison.missing, received_at)
    recorded, refused_changes = await _record(session, tenant_id, comparison.changes)
    await apply_changes(session, tenant_id, recorded, opened, NOBODY_IS_TOLD)
    return WrittenByReplay(
        read_again=read_again,
        created=len(opened),
        changes=sum(change.is_new for change in recorded),
        overtaken=len(comparison.to_read_again) - read_again,
        refused=refused_leads + refused_changes,
    )


async def _read_again(session: TenantSession, tenant_id: UUID, leads: Sequence[ChangedLead]) -> int:
    if not leads:
        return 0
    unchanged = await _lock_unchanged(session, tenant_id, leads)
    if unchanged:
        await session.execute(_UPDATE, [_row(tenant_id, lead) for lead in unchanged])
        await record(session, tenant_id, [_read_again_event(lead) for lead in unchanged])
    return len(unchanged)


async def _lock_unchanged(session: TenantSession, tenant_id: UUID, leads: Sequence[ChangedLead]) -> list[ChangedLead]:
    """Those that are still as they were compared, locked: a person or a look-up may have been quicker. Locked in the order of ids."""
    columns = [lead_signals.c[name] for name in Lead.__dataclass_fields__]
    rows = await session.execute(
        select(*columns)
        .where(lead_signals.c.tenant_id == tenant_id, lead_signals.c.id.in_([lead.lead.id for lead in leads]))
        .order_by(lead_signals.c.id)
        .with_for_update(key_share=True)
    )
    now = {row.id: Lead(*row) for row in rows}
    return [lead for lead in leads if now.get(lead.lead.id) == lead.lead]


_WRITTEN = ("content_text", "intent_label", "priority", "confidence_score", "status", "meta")
_UPDATE = (
    update(lead_signals)
    .where(lead_signals.c.tenant_id == bindparam("of_tenant"), lead_signals.c.id == bindparam("of_lead"))
    .values({**{name: bindparam(f"new_{name}") for name in _WRITTEN}, "updated_at": func.now()})
)


def _row(tenant_id: UUID, changed: ChangedLead) -> dict[str, Any]:
    new = changed.new
    written = {"content_text": changed.text, "status": new.status, "meta": without_opinion(changed.lead.meta) | new.meta(), **new.columns()}
    return {"of_tenant": tenant_id, "of_lead": changed.lead.id, **{f"new_{name}": written[name] for name in _WRITTEN}}


def _read_again_event(changed: ChangedLead) -> AuditEvent:
    """Labels and numbers, old and new. `edits` says which version of the text was read: a later edit makes this event an old one."""
    old, new = changed.old, changed.new
    detail = {
        **new.columns(),
        "status": new.status,
        "rule_pack": new.rule_pack,
        "edits": edits_of(changed.lead),
        "before": {**old.columns(), "status": old.status, "rule_pack": old.rule_pack},
    }
    return AuditEvent(AuditEventType.LEAD_SIGNAL_READ_AGAIN, "lead_signal", changed.lead.id, detail, OPERATOR)


async def _open(
    session: TenantSession, tenant_id: UUID, drafts: Sequence[LeadDraft], received_at: Mapping[UUID, datetime]
) -> tuple[list[OpenedLead], int]:
    """Leads that bear the moment their delivery came, as if the code of today had read it then; and how many were refused."""
    opened, refused = await _all_or_one_by_one(session, drafts, lambda some: open_leads(session, tenant_id, some))
    if opened:
        await session.execute(
            update(lead_signals)
            .where(lead_signals.c.tenant_id == bindparam("of_tenant"), lead_signals.c.id == bindparam("of_lead"))
            .values(created_at=bindparam("moment")),
            [{"of_tenant": tenant_id, "of_lead": lead.id, "moment": received_at[lead.draft.receipt_id]} for lead in opened],
        )
        await record(session, tenant_id, [_created_event(lead) for lead in opened])
    return opened, refused


def _created_event(lead: OpenedLead) -> AuditEvent:
    draft, verdict = lead.draft, lead.draft.verdict
    detail = {
        "intent_label": verdict.intent_label.value,
        "priority": verdict.priority.value,
        "confidence_score": verdict.confidence_score,
        "status": verdict.status,
        "rule_pack": verdict.rule_pack,
        "platform": draft.platform,
        "source_type": draft.source_type,
        "receipt_id": str(draft.receipt_id),
        "by_replay": True,
    }
    return AuditEvent(AuditEventType.LEAD_SIGNAL_CREATED, "lead_signal", lead.id, detail, OPERATOR)


async def _record(session: TenantSession, tenant_id: UUID, drafts: Sequence[ChangeDraft]) -> tuple[list[RecordedChange], int]:
    return await _all_or_one_by_one(session, drafts, lambda some: record_changes(session, tenant_id, some))


async def _all_or_one_by_one(
    session: TenantSession, drafts: Sequence[Draft], write: Callable[[Sequence[Draft]], Awaitable[list[Done]]]
) -> tuple[list[Done], int]:
    """What was written, and how many PostgreSQL refused: then each is tried by itself, so that the strange one stays alone."""
    if not drafts:
        return [], 0
    try:
        async with session.begin_nested():
            return await write(drafts), 0
    except DBAPIError as error:
        if not values_refused(error):
            raise
        if len(drafts) == 1:
            return [], 1
    each = [await _all_or_one_by_one(session, [draft], write) for draft in drafts]
    return [one for done, _ in each for one in done], sum(refused for _, refused in each)
