"""Admit a delivery: receipts, leads, audit events and promised follow-ups, in one transaction.

Nothing is acknowledged before the commit. If PostgreSQL refuses the batch because of what one item holds, the delivery is
admitted again item by item, so that the strange one lands in quarantine and its neighbours become leads. If it refuses what goes
with the leads (receipt, audit, promises), all signals of that tenant's part land in quarantine: content is never a 500.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, record
from lead_signals.database.new_id import new_id
from lead_signals.database.refused_values import values_refused
from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.receipt import quarantined_items, receipts
from lead_signals.intake.route_delivery import RoutedDelivery, RoutedPart
from lead_signals.intake.unrouted_delivery import keep_unrouted
from lead_signals.intent.classify import classify
from lead_signals.leads.open_leads import LeadDraft, OpenedLead, open_leads
from lead_signals.leads.promise_follow_ups import FollowUpPolicy, promise_follow_ups
from lead_signals.log_context import get_logger
from lead_signals.platforms.inbound_signal import InboundSignal, QuarantinedItem
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import TenantSession, enter_tenant

log = get_logger(__name__)

REFUSED_BY_DATABASE = "refused_by_database"


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of the items of one tenant's part. The five counts add up to the items received."""

    tenant_id: UUID
    lead_ids: Sequence[UUID]
    created: int
    duplicate: int
    ignored: Counter[str]
    quarantined: Counter[str]
    updated: int = 0


@dataclass(slots=True)
class _Prepared:
    drafts: list[tuple[LeadDraft, InboundSignal]] = field(default_factory=list)
    quarantined: list[QuarantinedItem] = field(default_factory=list)


async def admit(engine: AsyncEngine, delivery: RoutedDelivery, policy: FollowUpPolicy) -> list[Admission]:
    """Write the delivery down and return what became of it, after the commit.

    Raises RefusedRequest, and nothing is stored: 404 when the named tenant does not exist, 503 when PostgreSQL refuses even to
    keep the delivery unread.
    """
    prepared = await beside_the_loop(sum(len(part.body) for part in delivery.parts), _prepare_all, delivery.parts)
    try:
        return await _admit_in_one_transaction(engine, delivery, prepared, policy, one_by_one=False)
    except DBAPIError as error:
        if not values_refused(error):
            raise
        log.warning("batch_refused_by_database", **_refusal(error))
    try:
        return await _admit_in_one_transaction(engine, delivery, prepared, policy, one_by_one=True)
    except DBAPIError as error:
        if not values_refused(error):
            raise
        log.critical("delivery_refused_by_database", **_refusal(error))
    raise RefusedRequest(503, REFUSED_BY_DATABASE, "The database refused this delivery; nothing was stored. The operator must look.")


def _prepare_all(parts: Sequence[RoutedPart]) -> list[_Prepared]:
    return [_prepare(part) for part in parts]


def _prepare(part: RoutedPart) -> _Prepared:
    """Classify before the transaction opens; an item that cannot even be classified goes to quarantine."""
    prepared = _Prepared(quarantined=list(part.reading.quarantined))
    for signal in part.reading.signals:
        try:
            prepared.drafts.append((_draft(signal), signal))
        except Exception as error:
            log.error("classify_crashed", error=error.__class__.__name__)
            prepared.quarantined.append(_quarantined(signal, "classify_crashed"))
    return prepared


def _draft(signal: InboundSignal) -> LeadDraft:
    said_at = {} if signal.said_at is None else {"said_at": signal.said_at.isoformat()}
    return LeadDraft(
        platform=signal.platform,
        source_type=signal.source_type.value,
        source_subtype=signal.source_subtype,
        external_post_id=signal.external_post_id,
        external_thread_id=signal.external_thread_id,
        external_message_id=signal.external_message_id,
        author_name=signal.author_name,
        author_id=signal.author_id,
        content_text=signal.content_text,
        permalink_url=signal.permalink_url,
        verdict=classify(signal.content_text),
        meta={**signal.meta, **said_at},
    )


def _quarantined(signal: InboundSignal, reason: str) -> QuarantinedItem:
    item = {
        "external_message_id": signal.external_message_id,
        "author_id": signal.author_id,
        "author_name": signal.author_name,
        "content_text": signal.content_text,
    }
    return QuarantinedItem(reason, dict(item), signal.channel_external_id)


async def _admit_in_one_transaction(
    engine: AsyncEngine, delivery: RoutedDelivery, prepared: Sequence[_Prepared], policy: FollowUpPolicy, *, one_by_one: bool
) -> list[Admission]:
    async with engine.begin() as connection:
        admissions = []
        for part, of_part in sorted(zip(delivery.parts, prepared, strict=True), key=lambda pair: pair[0].tenant_id):
            session = await enter_tenant(connection, part.tenant_id)
            admit_part = _admit_part_in_pieces if one_by_one else _admit_part
            admissions.append(await admit_part(session, delivery, part, of_part, policy))
        await keep_unrouted(connection, delivery.platform, delivery.unrouted)
    return admissions


async def _admit_part_in_pieces(
    session: TenantSession, delivery: RoutedDelivery, part: RoutedPart, prepared: _Prepared, policy: FollowUpPolicy
) -> Admission:
    """Each lead by itself; when it is not a lead that is refused but what goes with it, all signals of this part to quarantine."""
    try:
        async with session.begin_nested():
            return await _admit_part(session, delivery, part, prepared, policy, one_by_one=True)
    except DBAPIError as error:
        if not values_refused(error):
            raise
        log.error("part_refused_by_database", tenant_id=str(part.tenant_id), **_refusal(error))
    refused = [_quarantined(signal, REFUSED_BY_DATABASE) for _, signal in prepared.drafts]
    return await _admit_part(session, delivery, part, _Prepared(quarantined=[*prepared.quarantined, *refused]), policy)


async def _admit_part(
    session: TenantSession,
    delivery: RoutedDelivery,
    part: RoutedPart,
    prepared: _Prepared,
    policy: FollowUpPolicy,
    *,
    one_by_one: bool = False,
) -> Admission:
    if await find_tenant(session, part.tenant_id) is None:
        raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {part.tenant_id}; onboard it with POST /onboarding.")
    receipt_id = new_id()
    quarantined = list(prepared.quarantined)
    drafts = [draft for draft, _ in prepared.drafts]
    if one_by_one:
        opened, drafts_written = await _open_one_by_one(session, part.tenant_id, receipt_id, prepared.drafts, quarantined)
    else:
        opened, drafts_written = await open_leads(session, part.tenant_id, receipt_id, drafts), len(drafts)
    admission = Admission(
        tenant_id=part.tenant_id,
        lead_ids=[lead.id for lead in opened],
        created=len(opened),
        duplicate=drafts_written - len(opened),
        ignored=Counter(str(item.reason) for item in part.reading.ignored),  # plain text: these become keys of JSON
        quarantined=Counter(str(item.reason) for item in quarantined),
    )
    await _write_receipt(session, delivery, part, receipt_id, admission)
    await _write_quarantine(session, part.tenant_id, receipt_id, quarantined)
    await record(session, part.tenant_id, [_created(lead, receipt_id) for lead in opened])
    await promise_follow_ups(session, part.tenant_id, opened, policy)
    return admission


async def _open_one_by_one(
    session: TenantSession,
    tenant_id: UUID,
    receipt_id: UUID,
    drafts: Sequence[tuple[LeadDraft, InboundSignal]],
    quarantined: list[QuarantinedItem],
) -> tuple[list[OpenedLead], int]:
    """Open each lead under its own savepoint; what the database refuses joins `quarantined`. Returns (opened, written drafts)."""
    opened: list[OpenedLead] = []
    written = 0
    for draft, signal in drafts:
        try:
            async with session.begin_nested():
                opened += await open_leads(session, tenant_id, receipt_id, [draft])
                written += 1
        except DBAPIError as error:
            if not values_refused(error):
                raise
            quarantined.append(_quarantined(signal, REFUSED_BY_DATABASE))
    return opened, written


def _refusal(error: DBAPIError) -> dict[str, str | None]:
    """What may be logged of it: PostgreSQL quotes the refused row, and with it a customer's words, in its message."""
    cause = getattr(error.orig, "__cause__", None)
    return {
        "error": cause.__class__.__name__,
        "table": getattr(cause, "table_name", None),
        "constraint": getattr(cause, "constraint_name", None),
    }


async def _write_receipt(
    session: TenantSession, delivery: RoutedDelivery, part: RoutedPart, receipt_id: UUID, admission: Admission
) -> None:
    await session.execute(
        insert(receipts).values(
            tenant_id=part.tenant_id,
            id=receipt_id,
            platform=delivery.platform,
            tenant_id_source=part.tenant_id_source.value,
            signed=delivery.signed,
            body=part.body,
            body_is_excerpt=part.body_is_excerpt,
            items_received=part.reading.items_received,
            items_created=admission.created,
            items_updated=admission.updated,
            items_duplicate=admission.duplicate,
            items_ignored=admission.ignored.total(),
            items_quarantined=admission.quarantined.total(),
            ignored_reasons=dict(admission.ignored),
        )
    )


async def _write_quarantine(session: TenantSession, tenant_id: UUID, receipt_id: UUID, items: Sequence[QuarantinedItem]) -> None:
    if items:
        await session.execute(
            insert(quarantined_items),
            [
                {"tenant_id": tenant_id, "id": new_id(), "receipt_id": receipt_id, "reason": item.reason, "item": orjson.dumps(item.item)}
                for item in items
            ],
        )


def _created(lead: OpenedLead, receipt_id: UUID) -> AuditEvent:
    verdict = lead.draft.verdict
    return AuditEvent(
        AuditEventType.LEAD_SIGNAL_CREATED,
        entity_type="lead_signal",
        entity_id=lead.id,
        detail={
            "intent_label": verdict.intent_label.value,
            "priority": verdict.priority.value,
            "confidence_score": verdict.confidence_score,
            "status": verdict.status,
            "rule_pack": verdict.rule_pack,
            "platform": lead.draft.platform,
            "source_type": lead.draft.source_type,
            "receipt_id": str(receipt_id),
        },
    )
