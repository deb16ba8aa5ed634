"""Admit deliveries: receipts, leads, changes, audit events and promised follow-ups of all of them, in one transaction.

Nothing is acknowledged before the commit. What PostgreSQL refuses because of what an item holds is admitted again, item by item, so
that the strange one lands in quarantine and its neighbours become leads. If it refuses what goes with the leads (receipt, audit,
promises), everything of that tenant's part lands in quarantine: content is never a 500.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, record
from lead_signals.database.lock_patience import limit_lock_waits
from lead_signals.database.refused_values import values_refused
from lead_signals.intake.admission import Admission
from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.find_owners import find_owners
from lead_signals.intake.judge_by_own_rules import judge_by_own_rules
from lead_signals.intake.prepare import Prepared, quarantined_change, quarantined_lead
from lead_signals.intake.route_delivery import Incoming, RoutedDelivery, RoutedPart, TenantIdSource, route_delivery
from lead_signals.intake.unrouted_delivery import keep_unrouted
from lead_signals.intake.write_receipts import Envelope, write_receipts
from lead_signals.leads.apply_changes import ChangeOutcome, apply_changes
from lead_signals.leads.hold_history import hold_history
from lead_signals.leads.open_leads import LeadDraft, OpenedLead, open_leads
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.leads.record_changes import ChangeDraft, RecordedChange, record_changes
from lead_signals.leads.request_look_ups import misses_something, request_look_ups
from lead_signals.log_context import get_logger
from lead_signals.platforms.inbound_signal import QuarantinedItem
from lead_signals.request_body import RefusedRequest
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.tenancy.channel import channels_with_token
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import TenantSession, enter_tenant, look_across_tenants

log = get_logger(__name__)

REFUSED_BY_DATABASE = "refused_by_database"
CHANGE_BEFORE_ITS_MESSAGE = "change_before_its_message"
TOO_MANY_CHANGES = "too_many_changes"

Fate: TypeAlias = list[Admission] | RefusedRequest
"""What became of one delivery: an admission for each tenant it holds something for, or why it was refused."""


@dataclass(frozen=True, slots=True)
class _Share:
    """What one delivery holds for one tenant; `position` is the delivery's place in the batch."""

    position: int
    platform: str
    signed: bool
    part: RoutedPart


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of a tenant's shares, before it is counted."""

    opened: Sequence[OpenedLead]
    recorded: Sequence[RecordedChange]


async def admit_together(
    engine: AsyncEngine, deliveries: Sequence[Incoming], policy: FollowUpPolicy, packs: ActivePacks | None = None
) -> list[tuple[RoutedDelivery | None, Fate]]:
    """Route these deliveries and write them down in one transaction; where each went and its fate, in their order, after the commit.

    `packs` says which tenants judge by rules of their own; None = nobody.
    A delivery that is refused (400, or 404 for a tenant that does not exist) costs its neighbours nothing; without a way it has no
    route. Raises what the database raises, and then nothing of any of them is stored: with `held_up`, try each tenant's by themselves;
    with anything else but a database that is away, each by `admit_alone`.
    """
    async with engine.begin() as connection:
        await limit_lock_waits(connection)
        routes = await _route(connection, deliveries, packs)
        routed = [route for route in routes if isinstance(route, RoutedDelivery)]
        fates: list[Fate] = [[] for _ in routed]
        for tenant_id, shares in sorted(_by_tenant(routed).items()):  # one order for all: batches never deadlock
            session = await enter_tenant(connection, tenant_id)
            if await _begin(session, tenant_id, shares, fates):
                written = await _write(session, tenant_id, shares)
                _tell(fates, shares, await _finish(session, tenant_id, shares, written, policy))
        for delivery in routed:
            await keep_unrouted(connection, delivery.platform, delivery.unrouted)
    of_routed = iter(fates)
    return [(route, next(of_routed)) if isinstance(route, RoutedDelivery) else (None, route) for route in routes]


async def _route(
    connection: AsyncConnection, deliveries: Sequence[Incoming], packs: ActivePacks | None
) -> list[RoutedDelivery | RefusedRequest]:
    """Where each goes, judged by the rules of its tenants; nothing is locked yet."""
    routes: list[RoutedDelivery | RefusedRequest] = []
    for delivery, owners in zip(deliveries, await find_owners(await look_across_tenants(connection), deliveries), strict=True):
        try:
            routed = await beside_the_loop(len(delivery.raw_body), route_delivery, delivery, owners)
            routes.append(await judge_by_own_rules(routed, packs))
        except RefusedRequest as refused:
            routes.append(refused)
    return routes


async def admit_alone(engine: AsyncEngine, delivery: RoutedDelivery, policy: FollowUpPolicy) -> Fate:
    """Write one delivery down whose batch PostgreSQL refused: item by item, and what it refuses to quarantine.

    The fate is a refusal with 503 when PostgreSQL refuses even to keep the delivery unread.
    """
    fates: list[Fate] = [[]]
    try:
        async with engine.begin() as connection:
            await limit_lock_waits(connection)
            for tenant_id, shares in sorted(_by_tenant([delivery]).items()):
                session = await enter_tenant(connection, tenant_id)
                # Item by item, rows are locked in another order than a batch locks them: the two must not meet in a circle.
                if await _begin(session, tenant_id, shares, fates, alone=True):
                    _tell(fates, shares, [await _admit_in_pieces(session, tenant_id, share, policy) for share in shares])
            await keep_unrouted(connection, delivery.platform, delivery.unrouted)
    except DBAPIError as error:
        if not values_refused(error):
            raise
        log.critical("delivery_refused_by_database", **refusal_of(error))
        return RefusedRequest(503, REFUSED_BY_DATABASE, "The database refused this delivery; nothing was stored. The operator must look.")
    return fates[0]


def refusal_of(error: Exception) -> dict[str, str | None]:
    """What may be logged of it: PostgreSQL quotes the refused row, and with it a customer's words, in its message."""
    cause = getattr(getattr(error, "orig", None), "__cause__", None)
    return {
        "error": (cause or error).__class__.__name__,
        "table": getattr(cause, "table_name", None),
        "constraint": getattr(cause, "constraint_name", None),
    }


def _by_tenant(deliveries: Sequence[RoutedDelivery]) -> dict[UUID, list[_Share]]:
    shares: dict[UUID, list[_Share]] = {}
    for position, delivery in enumerate(deliveries):
        for part in delivery.parts:
            shares.setdefault(part.tenant_id, []).append(_Share(position, delivery.platform, delivery.signed, part))
    return shares


async def _begin(session: TenantSession, tenant_id: UUID, shares: Sequence[_Share], fates: list[Fate], *, alone: bool = False) -> bool:
    """Hold the tenant's histories, `alone` or as far as needed. False when there is no such tenant: then its shares are refused."""
    await hold_history(session, tenant_id, changing=alone or any(share.part.prepared.changes for share in shares))
    # A channel belongs to a tenant that exists; a header or a body can name anybody.
    if all(share.part.tenant_id_source is TenantIdSource.CHANNEL for share in shares) or await find_tenant(session, tenant_id) is not None:
        return True
    for share in shares:
        fates[share.position] = RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}; onboard it with POST /onboarding.")
    return False


def _tell(fates: list[Fate], shares: Sequence[_Share], admissions: Sequence[Admission]) -> None:
    for share, admission in zip(shares, admissions, strict=True):
        fate = fates[share.position]
        if isinstance(fate, list):
            fate.append(admission)


async def _write(session: TenantSession, tenant_id: UUID, shares: Sequence[_Share]) -> _Written:
    opened = await open_leads(session, tenant_id, [lead for share in shares for lead in share.part.prepared.leads])
    recorded = await record_changes(session, tenant_id, [change for share in shares for change in share.part.prepared.changes])
    return _Written(opened, recorded)


async def _admit_in_pieces(session: TenantSession, tenant_id: UUID, share: _Share, policy: FollowUpPolicy) -> Admission:
    """Each item by itself; when it is not an item that is refused but what goes with it, all of this part to quarantine."""
    try:
        async with session.begin_nested():
            sifted, written = await _write_one_by_one(session, tenant_id, share)
            (admission,) = await _finish(session, tenant_id, [sifted], written, policy)
            return admission
    except DBAPIError as error:
        if not values_refused(error):
            raise
        log.error("part_refused_by_database", tenant_id=str(tenant_id), **refusal_of(error))
    (admission,) = await _finish(session, tenant_id, [_with(share, _all_quarantined(share.part.prepared))], _Written([], []), policy)
    return admission


async def _write_one_by_one(session: TenantSession, tenant_id: UUID, share: _Share) -> tuple[_Share, _Written]:
    """Write each item under its own savepoint. What the database refuses is in quarantine in the share that comes back."""
    prepared = share.part.prepared
    leads, changes, quarantined = list[LeadDraft](), list[ChangeDraft](), list(prepared.quarantined)
    opened, recorded = list[OpenedLead](), list[RecordedChange]()
    for lead in prepared.leads:
        try:
            async with session.begin_nested():
                opened += await open_leads(session, tenant_id, [lead])
            leads.append(lead)
        except DBAPIError as error:
            quarantined.append(_refused(error, quarantined_lead(lead, REFUSED_BY_DATABASE)))
    for change in prepared.changes:
        try:
            async with session.begin_nested():
                recorded += await record_changes(session, tenant_id, [change])
            changes.append(change)
        except DBAPIError as error:
            quarantined.append(_refused(error, quarantined_change(change, REFUSED_BY_DATABASE)))
    sifted = replace(prepared, leads=tuple(leads), changes=tuple(changes), quarantined=tuple(quarantined))
    return _with(share, sifted), _Written(opened, recorded)


def _refused(error: DBAPIError, item: QuarantinedItem) -> QuarantinedItem:
    if not values_refused(error):
        raise error
    return item


def _all_quarantined(prepared: Prepared) -> Prepared:
    leads = tuple(quarantined_lead(lead, REFUSED_BY_DATABASE) for lead in prepared.leads)
    changes = tuple(quarantined_change(change, REFUSED_BY_DATABASE) for change in prepared.changes)
    return replace(prepared, leads=(), changes=(), quarantined=(*prepared.quarantined, *leads, *changes))


def _with(share: _Share, prepared: Prepared) -> _Share:
    return replace(share, part=replace(share.part, prepared=prepared))


async def _finish(
    session: TenantSession, tenant_id: UUID, shares: Sequence[_Share], written: _Written, policy: FollowUpPolicy
) -> list[Admission]:
    """Everything that goes with the new leads and changes, and the count of it all: one admission for each share."""
    await record(session, tenant_id, [_created(lead) for lead in written.opened])
    opened = await _ask_what_is_missing(session, tenant_id, written.opened)
    outcomes = await apply_changes(session, tenant_id, written.recorded, opened, policy)
    admissions = _count(tenant_id, shares, opened, outcomes)
    await write_receipts(
        session,
        [Envelope(share.platform, share.signed, share.part, admission) for share, admission in zip(shares, admissions, strict=True)],
    )
    return admissions


async def _ask_what_is_missing(session: TenantSession, tenant_id: UUID, opened: Sequence[OpenedLead]) -> Sequence[OpenedLead]:
    """Owe the look-ups of these leads. The same leads, those of known senders with their names."""
    if not any(misses_something(lead.draft) for lead in opened):  # ordinary comments: the database is not asked either
        return opened
    return await request_look_ups(session, tenant_id, opened, await channels_with_token(session, tenant_id))


def _count(tenant_id: UUID, shares: Sequence[_Share], opened: Sequence[OpenedLead], outcomes: Sequence[ChangeOutcome]) -> list[Admission]:
    lead_ids: dict[UUID, list[UUID]] = {}
    for lead in opened:
        lead_ids.setdefault(lead.draft.receipt_id, []).append(lead.id)
    admissions, of_change = [], iter(outcomes)
    for share in shares:
        prepared = share.part.prepared
        fates = Counter(next(of_change) for _ in prepared.changes)
        created = lead_ids.get(prepared.receipt_id, [])
        ignored = Counter(str(item.reason) for item in prepared.ignored)  # plain text: these become keys of JSON
        if fates[ChangeOutcome.WAITING]:
            ignored[CHANGE_BEFORE_ITS_MESSAGE] += fates[ChangeOutcome.WAITING]
        if fates[ChangeOutcome.TOO_MANY]:
            ignored[TOO_MANY_CHANGES] += fates[ChangeOutcome.TOO_MANY]
        admissions.append(
            Admission(
                tenant_id=tenant_id,
                received=prepared.items_received,
                lead_ids=created,
                created=len(created),
                updated=fates[ChangeOutcome.UPDATED],
                duplicate=len(prepared.leads) - len(created) + fates[ChangeOutcome.DUPLICATE],
                ignored=ignored,
                quarantined=Counter(str(item.reason) for item in prepared.quarantined),
            )
        )
    return admissions


def _created(lead: OpenedLead) -> AuditEvent:
    draft, verdict = lead.draft, lead.draft.verdict
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
            "platform": draft.platform,
            "source_type": draft.source_type,
            "receipt_id": str(draft.receipt_id),
        },
    )
