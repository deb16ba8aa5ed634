"""Apply changes: work out each touched lead from all that is known of its message, and write down what that changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, update

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, record
from lead_signals.followups.cancel_follow_ups import cancel_follow_ups
from lead_signals.leads.changed_lead import changed_lead, edits_of
from lead_signals.leads.fold_changes import FoldedChanges, fold_changes
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead, lock_leads_of_messages
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.message_change import MessageKey
from lead_signals.leads.message_history import MessageChange, changes_of
from lead_signals.leads.open_leads import OpenedLead
from lead_signals.leads.promise_follow_ups import FollowUpPolicy, promise_follow_ups, promise_follow_ups_now
from lead_signals.leads.record_changes import RecordedChange, record_originals
from lead_signals.leads.request_opinions import UnclearLead, request_opinions, unclear_lead, unclear_opened
from lead_signals.tenancy.tenant_session import TenantSession


class ChangeOutcome(StrEnum):
    """What became of one recorded change; the door counts `waiting` as ignored(change_before_its_message), and too many as ignored too."""

    UPDATED = "updated"
    DUPLICATE = "duplicate"
    WAITING = "waiting"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class _Touched:
    """A lead before and after its changes."""

    before: Lead
    after: Lead
    folded: FoldedChanges

    @property
    def is_newly_removed(self) -> bool:
        return "removed_at" in self.after.meta and "removed_at" not in self.before.meta

    @property
    def is_newly_edited(self) -> bool:
        return edits_of(self.after) > edits_of(self.before)

    @property
    def is_urgent(self) -> bool:
        """Some version of it was, and it was not taken back. The lead itself stands for the original until the first edit."""
        return (self.folded.was_urgent or KeptVerdict.of_lead(self.before).is_urgent) and self.folded.removed_at is None


async def apply_changes(
    session: TenantSession, tenant_id: UUID, recorded: Sequence[RecordedChange], opened: Sequence[OpenedLead], policy: FollowUpPolicy
) -> list[ChangeOutcome]:
    """Bring the leads of the new changes, and of those that waited for an opened lead, to what all their changes say.

    Returns the outcome of each of `recorded`, in its order. The follow-ups and opinions about `opened` are promised here too, as their
    message reads now (and not at all when it was removed before it came): the caller promises none itself. Record LEAD_SIGNAL_CREATED
    before. Without any change it costs one query. Call it under `hold_history`, once for all parts of a tenant.
    """
    messages = {change.draft.message for change in recorded if change.is_new} | {key for lead in opened if (key := _message(lead))}
    changes = await changes_of(session, tenant_id, messages)
    touched = [_touched(lead, changes) for lead in await lock_leads_of_messages(session, tenant_id, changes.keys())]
    await _write(session, tenant_id, touched)
    removed = [lead.after.id for lead in touched if lead.is_newly_removed]
    await record(session, tenant_id, [event for lead in touched for event in _events(lead)])
    await _cancel(session, tenant_id, removed)
    await _promise(session, tenant_id, touched, opened, policy)
    if policy.asks_model:
        await request_opinions(session, tenant_id, _unclear(touched, opened))
    found = {(lead.after.platform, lead.after.external_message_id) for lead in touched}
    return [_outcome(change, found) for change in recorded]


def _message(lead: OpenedLead) -> MessageKey | None:
    draft = lead.draft
    return None if draft.external_message_id is None else (draft.platform, draft.external_message_id)


def _touched(lead: Lead, changes: Mapping[MessageKey, Sequence[MessageChange]]) -> _Touched:
    folded = fold_changes(changes[lead.platform, lead.external_message_id or ""])
    return _Touched(lead, changed_lead(lead, folded), folded)


async def _write(session: TenantSession, tenant_id: UUID, touched: Sequence[_Touched]) -> None:
    edited_first = [lead.before for lead in touched if lead.folded.edits and not lead.folded.has_original]
    await record_originals(session, tenant_id, edited_first)
    changed = [lead.after for lead in touched if lead.after != lead.before]
    if changed:
        await session.execute(_UPDATE, [_row(lead) for lead in changed])


_WRITTEN = ("content_text", "intent_label", "priority", "confidence_score", "status", "meta")
_UPDATE = (
    update(lead_signals)
    .where(lead_signals.c.tenant_id == bindparam("of_tenant"), lead_signals.c.id == bindparam("of_lead"))
    .values({**{name: bindparam(f"new_{name}") for name in _WRITTEN}, "updated_at": func.now()})
)


def _row(lead: Lead) -> dict[str, Any]:
    return {"of_tenant": lead.tenant_id, "of_lead": lead.id, **{f"new_{name}": getattr(lead, name) for name in _WRITTEN}}


def _events(lead: _Touched) -> list[AuditEvent]:
    """What the person in front of the lead will want to know happened to it; labels and numbers only."""
    before, after = lead.before, lead.after
    happened: list[AuditEventType] = []
    if lead.is_newly_edited:
        happened.append(AuditEventType.LEAD_SIGNAL_EDITED)
    if ("hidden" in after.meta) != ("hidden" in before.meta):
        happened.append(AuditEventType.LEAD_SIGNAL_HIDDEN if "hidden" in after.meta else AuditEventType.LEAD_SIGNAL_SHOWN)
    if lead.is_newly_removed:
        happened.append(AuditEventType.LEAD_SIGNAL_WITHDRAWN)
    detail = {
        "intent_label": after.intent_label,
        "priority": after.priority,
        "confidence_score": after.confidence_score,
        "status": after.status,
        "status_before": before.status,
        "edits": edits_of(after),
    }
    return [AuditEvent(event_type, "lead_signal", after.id, detail) for event_type in happened]


async def _cancel(session: TenantSession, tenant_id: UUID, lead_ids: Sequence[UUID]) -> None:
    cancelled = await cancel_follow_ups(session, tenant_id, lead_ids)
    await record(
        session,
        tenant_id,
        [
            AuditEvent(
                AuditEventType.FOLLOW_UP_CANCELLED,
                "follow_up",
                follow_up.id,
                # While an attempt runs it is only asked for: the attempt may still deliver.
                {"lead_id": str(follow_up.lead_id), "while_delivering": follow_up.while_delivering},
            )
            for follow_up in cancelled
        ],
    )


async def _promise(
    session: TenantSession, tenant_id: UUID, touched: Sequence[_Touched], opened: Sequence[OpenedLead], policy: FollowUpPolicy
) -> None:
    """For what was said now: opened or edited. Hiding an old lead makes nobody call."""
    touched_ids, opened_ids = {lead.after.id for lead in touched}, {lead.id for lead in opened}
    await promise_follow_ups(session, tenant_id, [lead for lead in opened if lead.id not in touched_ids], policy)
    urgent = [lead.after for lead in touched if lead.is_urgent and (lead.is_newly_edited or lead.after.id in opened_ids)]
    await promise_follow_ups_now(session, tenant_id, urgent, policy)


def _unclear(touched: Sequence[_Touched], opened: Sequence[OpenedLead]) -> list[UnclearLead]:
    """What was said now and no rule understood; an edit that came twice, or changed no word, was asked about before."""
    touched_ids, opened_ids = {lead.after.id for lead in touched}, {lead.id for lead in opened}
    said_now = [lead.after for lead in touched if lead.after.id in opened_ids or lead.after.content_text != lead.before.content_text]
    asked = [unclear_opened(lead) for lead in opened if lead.id not in touched_ids] + [unclear_lead(lead) for lead in said_now]
    return [lead for lead in asked if lead is not None]


def _outcome(change: RecordedChange, found: Collection[tuple[str, str | None]]) -> ChangeOutcome:
    if change.beyond_limit:
        return ChangeOutcome.TOO_MANY
    if not change.is_new:
        return ChangeOutcome.DUPLICATE
    return ChangeOutcome.UPDATED if change.draft.message in found else ChangeOutcome.WAITING
