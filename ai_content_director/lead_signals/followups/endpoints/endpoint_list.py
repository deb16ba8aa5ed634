"""Endpoints as the operator sees them, with what waits there. Addresses and secrets never leave their row but to be used."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, EndpointKind, PauseReason, follow_up_endpoints
from lead_signals.followups.endpoints.endpoint_address import show_address
from lead_signals.followups.endpoints.endpoint_backlog import NOTHING_WAITS, EndpointBacklog, endpoint_backlogs
from lead_signals.followups.endpoints.endpoint_destination import mails
from lead_signals.followups.endpoints.failing_endpoints import failing_endpoints, failing_sentence
from lead_signals.followups.endpoints.operators_pause import operators_pause
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, UnopenedEndpoint
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant import tenants
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession

State = Literal["on", "paused", "gone"]
GONE = "It answered that it takes nothing any more (410 Gone, or the like): mend the receiver, then resume the endpoint."
NO_MAIL = "E-mail cannot go out: set SMTP_URL and SMTP_FROM."


@dataclass(frozen=True, slots=True)
class ShownEndpoint:
    """One endpoint. `tenant_id`, `tenant_name` and `created_at` are None for the operator's own (WEBHOOK_URL); `secrets` counts those
    that sign now; `trouble` says what a person must do, and is None when all is well."""

    id: UUID
    tenant_id: UUID | None
    tenant_name: str | None
    kind: str
    name: str
    address: str
    state: State
    secrets: int
    old_secret_until: datetime | None
    waiting: int
    oldest_waiting_seconds: float | None
    dead: int
    last_delivered_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str | None
    trouble: str | None
    created_at: datetime | None


async def list_endpoints(
    session: TenantSession | AcrossTenantsSession,
    settings: Settings,
    tenant_id: UUID | None,
    *,
    now: datetime,
    limit: int,
    offset: int = 0,
) -> tuple[Sequence[ShownEndpoint], int]:
    """Endpoints of one tenant, or (for an AcrossTenantsSession) the operator's own and those of all tenants, by tenant and age; and how
    many there are in all."""
    wanted = and_(follow_up_endpoints.c.removed_at.is_(None), true() if tenant_id is None else follow_up_endpoints.c.tenant_id == tenant_id)
    total = (await session.execute(select(func.count()).select_from(follow_up_endpoints).where(wanted))).scalar_one()
    with_operators = tenant_id is None and settings.webhook_url is not None
    first = 1 if with_operators and offset == 0 else 0
    in_order = (follow_up_endpoints.c.tenant_id, follow_up_endpoints.c.created_at, follow_up_endpoints.c.id)
    skipped = max(0, offset - (1 if with_operators else 0))
    rows = (await session.execute(_with_tenant().where(wanted).order_by(*in_order).limit(limit - first).offset(skipped))).all()
    seen = await _looked(session, [row.id for row in rows] + [OPERATORS_ENDPOINT] * first, now)
    shown = [await _operators(session, settings, seen)] * first
    return [*shown, *(_shown(row, settings, seen, now) for row in rows)], total + (1 if with_operators else 0)


async def find_endpoint(
    session: TenantSession, settings: Settings, tenant_id: UUID, endpoint_id: UUID, *, now: datetime
) -> ShownEndpoint | None:
    """One endpoint of this tenant; None when there is none, it was removed, or it is another's."""
    columns = follow_up_endpoints.c
    wanted = and_(columns.tenant_id == tenant_id, columns.id == endpoint_id, columns.removed_at.is_(None))
    row = (await session.execute(_with_tenant().where(wanted))).one_or_none()
    return None if row is None else _shown(row, settings, await _looked(session, [endpoint_id], now), now)


async def find_operators_endpoint(session: AcrossTenantsSession, settings: Settings, *, now: datetime) -> ShownEndpoint | None:
    """WEBHOOK_URL; None when it is not set."""
    if settings.webhook_url is None:
        return None
    return await _operators(session, settings, await _looked(session, [OPERATORS_ENDPOINT], now))


@dataclass(frozen=True, slots=True)
class _Looked:
    """What waits at the endpoints to show, and for those that fail the sentence that says so."""

    backlogs: Mapping[UUID, EndpointBacklog]
    fails: Mapping[UUID, str]


async def _looked(session: AsyncConnection, endpoint_ids: Sequence[UUID], now: datetime) -> _Looked:
    backlogs = await endpoint_backlogs(session, endpoint_ids, now=now)
    failing = await failing_endpoints(session, now=now, endpoint_ids=endpoint_ids)
    return _Looked(backlogs, {id_: failing_sentence(found, backlogs.get(id_, NOTHING_WAITS)) for id_, found in failing.items()})


def _with_tenant() -> Select[Any]:
    return select(follow_up_endpoints, tenants.c.name.label("tenant_name")).join(tenants, tenants.c.id == follow_up_endpoints.c.tenant_id)


async def _operators(session: TenantSession | AcrossTenantsSession, settings: Settings, seen: _Looked) -> ShownEndpoint:
    address = "" if settings.webhook_url is None else settings.webhook_url.get_secret_value()
    reason = await operators_pause(session, address)
    return ShownEndpoint(
        id=OPERATORS_ENDPOINT,
        tenant_id=None,
        tenant_name=None,
        kind=EndpointKind.WEBHOOK.value,
        name="WEBHOOK_URL",
        address=show_address(EndpointKind.WEBHOOK, address),
        state=_state(reason),
        secrets=len(settings.signing_secrets),
        old_secret_until=None,
        trouble=seen.fails.get(OPERATORS_ENDPOINT) if reason is None else GONE if reason is PauseReason.GONE else None,
        created_at=None,
        **_waiting(seen.backlogs.get(OPERATORS_ENDPOINT)),
    )


def _shown(row: Row[Any], settings: Settings, seen: _Looked, now: datetime) -> ShownEndpoint:
    reason = None if row.pause_reason is None else PauseReason(row.pause_reason)
    old_lives = row.old_secret_until is not None and now < row.old_secret_until
    return ShownEndpoint(
        id=row.id,
        tenant_id=row.tenant_id,
        tenant_name=row.tenant_name,
        kind=row.kind,
        name=row.name,
        address=row.shown_address,
        state=_state(reason),
        secrets=(row.sealed_secret is not None) + old_lives,
        old_secret_until=row.old_secret_until if old_lives else None,
        trouble=what_is_the_matter(row, settings, now) or seen.fails.get(row.id),
        created_at=row.created_at,
        **_waiting(seen.backlogs.get(row.id)),
    )


def what_is_the_matter(row: Row[Any], settings: Settings, now: datetime) -> str | None:
    """What a person must do about a live row of `follow_up_endpoints`, in a sentence; None when nothing."""
    try:
        EndpointSeal(settings.channel_token_key).open(row, now)
    except UnopenedEndpoint as unopened:
        return str(unopened)
    if row.kind == EndpointKind.EMAIL and not mails(settings):
        return NO_MAIL
    return GONE if row.pause_reason == PauseReason.GONE else None


def _state(reason: PauseReason | None) -> State:
    if reason is None:
        return "on"
    return "gone" if reason is PauseReason.GONE else "paused"


def _waiting(backlog: EndpointBacklog | None) -> dict[str, Any]:
    return asdict(backlog or NOTHING_WAITS)
