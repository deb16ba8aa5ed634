"""Read what is stored of some receipts: their leads and how the machine read them, what was refused, which changes are recorded."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lead_signals.audit.audit_event import AuditEventType, audit_events
from lead_signals.intake.admit import REFUSED_BY_DATABASE
from lead_signals.intake.receipt import quarantined_items
from lead_signals.intake.replay_comparison import RecordedKey, Stored, StoredLead, ToldKey, message_of
from lead_signals.intake.replay_reading import ReceiptReadAgain
from lead_signals.intent.lane import lane_status
from lead_signals.leads.changed_lead import LANES, edits_of
from lead_signals.leads.fold_changes import fold_changes
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.message_change import MessageKey, among, message_changes
from lead_signals.leads.message_history import changes_of
from lead_signals.tenancy.tenant_session import TenantSession

_LEAD = [lead_signals.c[name] for name in Lead.__dataclass_fields__]


async def load_stored(session: TenantSession, tenant_id: UUID, receipts: Sequence[ReceiptReadAgain]) -> Stored:
    """What is stored of these receipts, which follow each other in time; at least one. Five queries at most, whatever their number."""
    leads = await _leads_of(session, tenant_id, receipts)
    lanes = await _machine_lanes(session, tenant_id, [lead for of_receipt in leads.values() for lead in of_receipt])
    own = {message for of_receipt in leads.values() for lead in of_receipt if (message := message_of(lead)) is not None}
    asked = {message for receipt in receipts for draft in receipt.leads if (message := message_of(draft)) is not None}
    recorded, told = await _changes(session, tenant_id, receipts)
    return Stored(
        {receipt_id: [StoredLead(lead, lanes[lead.id]) for lead in of_receipt] for receipt_id, of_receipt in leads.items()},
        own | await _with_lead(session, tenant_id, asked - own),
        await _refused(session, tenant_id, receipts),
        recorded,
        told,
    )


async def _leads_of(session: TenantSession, tenant_id: UUID, receipts: Sequence[ReceiptReadAgain]) -> Mapping[UUID, Sequence[Lead]]:
    # A lead is opened in the transaction of its receipt, so both bear one moment, and leads have an index on that: none on the receipt.
    moments = [receipt.received_at for receipt in receipts]
    rows = await session.execute(
        select(lead_signals.c.receipt_id, *_LEAD)
        .where(
            lead_signals.c.tenant_id == tenant_id,
            lead_signals.c.created_at.between(min(moments), max(moments)),
            lead_signals.c.receipt_id.in_([receipt.id for receipt in receipts]),
        )
        .order_by(lead_signals.c.id)
    )
    leads: defaultdict[UUID, list[Lead]] = defaultdict(list)
    for row in rows:
        receipt_id, *columns = row
        leads[receipt_id].append(Lead(*columns))
    return leads


async def _with_lead(session: TenantSession, tenant_id: UUID, messages: Collection[MessageKey]) -> set[MessageKey]:
    if not messages:
        return set()
    rows = await session.execute(
        select(lead_signals.c.platform, lead_signals.c.external_message_id).where(
            lead_signals.c.tenant_id == tenant_id, *among(lead_signals.c, messages)
        )
    )
    return {(row.platform, row.external_message_id) for row in rows}


async def _refused(session: TenantSession, tenant_id: UUID, receipts: Sequence[ReceiptReadAgain]) -> Mapping[UUID, Collection[bytes]]:
    rows = await session.execute(
        select(quarantined_items.c.receipt_id, quarantined_items.c.item).where(
            quarantined_items.c.tenant_id == tenant_id,
            quarantined_items.c.receipt_id.in_([receipt.id for receipt in receipts]),
            quarantined_items.c.reason == REFUSED_BY_DATABASE,
            quarantined_items.c.item.is_not(None),
        )
    )
    refused: defaultdict[UUID, set[bytes]] = defaultdict(set)
    for row in rows:
        refused[row.receipt_id].add(row.item)
    return refused


async def _changes(
    session: TenantSession, tenant_id: UUID, receipts: Sequence[ReceiptReadAgain]
) -> tuple[Collection[RecordedKey], Collection[ToldKey]]:
    messages = {change.message for receipt in receipts for change in receipt.changes}
    if not messages:
        return (), ()
    columns = message_changes.c
    rows = await session.execute(
        select(
            columns.platform, columns.external_message_id, columns.kind, columns.content_text, columns.fingerprint, columns.receipt_id
        ).where(columns.tenant_id == tenant_id, *among(columns, messages))
    )
    recorded: set[RecordedKey] = set()
    told: set[ToldKey] = set()
    for row in rows:
        message = (row.platform, row.external_message_id)
        recorded.add((message, row.fingerprint))
        if row.receipt_id is not None:
            told.add((row.receipt_id, message, row.kind, row.content_text))
    return recorded, told


async def _machine_lanes(session: TenantSession, tenant_id: UUID, leads: Sequence[Lead]) -> Mapping[UUID, str]:
    """In which lane the machine put each lead last. Of one that was moved on: its newest replay, else its edit, else its opening says."""
    moved_on = [lead for lead in leads if lead.status not in LANES]
    told = await _told_by_audit(session, tenant_id, [lead.id for lead in moved_on])
    edited = await _lanes_of_edits(session, tenant_id, (lead for lead in moved_on if edits_of(lead)))
    lanes = {lead.id: lead.status for lead in leads}
    for lead in moved_on:
        created = told.get((lead.id, AuditEventType.LEAD_SIGNAL_CREATED.value), {})
        read_again = told.get((lead.id, AuditEventType.LEAD_SIGNAL_READ_AGAIN.value), {})
        since_the_edit = read_again.get("edits") == edits_of(lead)
        lane = read_again.get("status") if since_the_edit else edited.get(lead.id, created.get("status"))
        lanes[lead.id] = lane if lane in LANES else lane_status(lead.confidence_score)
    return lanes


async def _told_by_audit(session: TenantSession, tenant_id: UUID, lead_ids: Sequence[UUID]) -> Mapping[tuple[UUID, str], Mapping[str, Any]]:
    if not lead_ids:
        return {}
    kinds = [AuditEventType.LEAD_SIGNAL_CREATED.value, AuditEventType.LEAD_SIGNAL_READ_AGAIN.value]
    rows = await session.execute(
        select(audit_events.c.entity_id, audit_events.c.event_type, audit_events.c.detail)
        .where(audit_events.c.tenant_id == tenant_id, audit_events.c.entity_id.in_(lead_ids), audit_events.c.event_type.in_(kinds))
        .order_by(audit_events.c.created_at, audit_events.c.id)
    )
    return {(row.entity_id, row.event_type): row.detail for row in rows}  # of several the newest stays


async def _lanes_of_edits(session: TenantSession, tenant_id: UUID, leads: Iterable[Lead]) -> Mapping[UUID, str]:
    of_message = {(lead.platform, lead.external_message_id): lead.id for lead in leads if lead.external_message_id is not None}
    histories = await changes_of(session, tenant_id, of_message.keys())
    newest = {of_message[message]: fold_changes(changes).newest_edit for message, changes in histories.items()}
    return {lead_id: edit.verdict.status for lead_id, edit in newest.items() if edit is not None and edit.verdict is not None}
