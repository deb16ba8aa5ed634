"""Rotate a webhook's secret: the new one signs from now on, the one of before beside it for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.followups.endpoints.endpoint import EndpointKind, follow_up_endpoints
from lead_signals.followups.endpoints.endpoint_list import ShownEndpoint, find_endpoint
from lead_signals.followups.endpoints.endpoint_wish import RotationWish
from lead_signals.followups.endpoints.named_endpoint import needs_its_tenant, no_such_endpoint, refuse_operators
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, OpenedEndpoint, SealedPart, UnopenedEndpoint
from lead_signals.followups.endpoints.webhook_secret import make_secret
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session


@dataclass(frozen=True, slots=True)
class RotatedSecret:
    """The endpoint, and its new secret when it was made here: this is the only time it is told."""

    endpoint: ShownEndpoint
    secret: str | None
    sentence: str


async def rotate_secret(
    engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID, wish: RotationWish, *, now: datetime
) -> RotatedSecret:
    """Write the new secret; the one of before lives `keep_old_hours` longer, and one still older ends at once: two live at most.

    What is stored is sealed anew by the first of our keys. Raises RefusedRequest: 404 when the tenant has no such endpoint; 409 for
    WEBHOOK_URL, for what is no webhook, and when no key here opens it; 422 without its tenant, and when the new secret is the one in force.
    """
    refuse_operators(
        endpoint_id,
        "its secret is WEBHOOK_SIGNING_SECRET: put the new one before the old one there, separated by a comma"
        " (WEBHOOK_SIGNING_SECRET=new,old), and start API and worker again",
    )
    whose = needs_its_tenant(endpoint_id, tenant_id)
    seal = EndpointSeal(settings.channel_token_key)
    fresh = wish.secret or make_secret()
    async with tenant_session(engine, whose) as session:
        row = await _locked(session, whose, endpoint_id)
        opened = _opened(seal, row, now)
        if opened.secret is not None and opened.secret.get_secret_value() == fresh.get_secret_value():
            raise RefusedRequest(422, "same_secret", "secret: this is the one in force; send another, or none, and one is made.")
        await _write(session, seal, row, opened, fresh, keep_old_hours=wish.keep_old_hours, now=now)
        detail = {"kind": row.kind, "keep_old_hours": wish.keep_old_hours}
        event = AuditEvent(AuditEventType.ENDPOINT_CHANGED, "endpoint", endpoint_id, detail, actor=OPERATOR)
        await record(session, whose, [event])
        endpoint = await find_endpoint(session, settings, whose, endpoint_id, now=now)
    if endpoint is None:
        raise LookupError(f"endpoint {endpoint_id} is gone in the transaction that wrote it")
    made = None if wish.secret is not None else fresh.get_secret_value()
    return RotatedSecret(endpoint, made, _sentence(endpoint.old_secret_until, was_made=made is not None))


async def _locked(session: TenantSession, tenant_id: UUID, endpoint_id: UUID) -> Row[Any]:
    columns = follow_up_endpoints.c
    wanted = select(follow_up_endpoints).where(columns.tenant_id == tenant_id, columns.id == endpoint_id, columns.removed_at.is_(None))
    row = (await session.execute(wanted.with_for_update())).one_or_none()
    if row is None:
        raise no_such_endpoint(tenant_id, endpoint_id)
    if row.kind != EndpointKind.WEBHOOK:
        raise RefusedRequest(409, "no_secret", f"This endpoint is of kind {row.kind}: only webhooks have a secret.")
    return row


def _opened(seal: EndpointSeal, row: Row[Any], now: datetime) -> OpenedEndpoint:
    try:
        return seal.open(row, now)
    except UnopenedEndpoint as unopened:
        raise RefusedRequest(409, "endpoint_cannot_be_opened", str(unopened)) from None


async def _write(
    session: TenantSession,
    seal: EndpointSeal,
    row: Row[Any],
    opened: OpenedEndpoint,
    fresh: SecretStr,
    *,
    keep_old_hours: int,
    now: datetime,
) -> None:
    def sealed(value: SecretStr, part: SealedPart) -> bytes:
        return seal.seal(value, part, row.tenant_id, row.id)

    keeps = keep_old_hours > 0 and opened.secret is not None
    await session.execute(
        update(follow_up_endpoints)
        .where(follow_up_endpoints.c.tenant_id == row.tenant_id, follow_up_endpoints.c.id == row.id)
        .values(
            sealed_address=sealed(opened.address, SealedPart.ADDRESS),
            sealed_secret=sealed(fresh, SealedPart.SECRET),
            sealed_old_secret=sealed(opened.secret, SealedPart.SECRET) if keeps and opened.secret is not None else None,
            old_secret_until=now + timedelta(hours=keep_old_hours) if keeps else None,
            changed_at=func.clock_timestamp(),
        )
    )


def _sentence(old_secret_until: datetime | None, *, was_made: bool) -> str:
    if old_secret_until is None:
        told = "The new secret alone signs from now on."
    else:
        told = f"Both secrets sign until {old_secret_until:%Y-%m-%d %H:%M} UTC, then the new one alone."
    return f"{told} Keep it now: it is not shown again." if was_made else told
