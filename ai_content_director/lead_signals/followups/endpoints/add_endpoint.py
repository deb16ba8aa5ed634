"""Add an endpoint to a tenant: from the commit on its urgent leads are told there, and no longer to WEBHOOK_URL."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.allowed_hosts import read_allowed_hosts
from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
from lead_signals.database.new_id import new_id
from lead_signals.followups.endpoints.endpoint import EndpointKind, follow_up_endpoints
from lead_signals.followups.endpoints.endpoint_address import show_address, tidy_address, what_is_wrong
from lead_signals.followups.endpoints.endpoint_destination import mails
from lead_signals.followups.endpoints.endpoint_list import NO_MAIL, ShownEndpoint, find_endpoint
from lead_signals.followups.endpoints.endpoint_wish import EndpointWish
from lead_signals.followups.endpoints.sealed_endpoint import NO_SEALING_KEY, EndpointSeal, SealedPart
from lead_signals.followups.endpoints.webhook_secret import make_secret
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

MOST_ENDPOINTS = 10  # each urgent lead is a promise to every one of them

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:which, 0))")


@dataclass(frozen=True, slots=True)
class AddedEndpoint:
    """The endpoint, and its secret when it was made here: this is the only time it is told."""

    endpoint: ShownEndpoint
    secret: str | None
    sentence: str


async def add_endpoint(engine: AsyncEngine, settings: Settings, wish: EndpointWish, *, now: datetime) -> AddedEndpoint:
    """Seal address and secret, and write the row with its audit event.

    Raises RefusedRequest: 404 for an unknown tenant; 409 without a key to seal with, without a mail server for e-mail, for a name that
    is taken and for one endpoint too many; 422 for an address that must not be called.
    """
    address = tidy_address(wish.kind, wish.address.get_secret_value())
    problem = what_is_wrong(wish.kind, address, read_allowed_hosts(settings.allowed_hosts))
    if problem is not None:
        raise RefusedRequest(422, "bad_address", f"address: {problem}")
    seal = EndpointSeal(settings.channel_token_key)
    if not seal.can_seal:
        raise RefusedRequest(409, "no_sealing_key", NO_SEALING_KEY)
    if wish.kind is EndpointKind.EMAIL and not mails(settings):
        raise RefusedRequest(409, "no_mail_server", NO_MAIL)
    made = make_secret() if wish.kind is EndpointKind.WEBHOOK and wish.secret is None else None
    async with tenant_session(engine, wish.tenant_id) as session:
        others = await _refuse_impossible(session, wish)
        endpoint_id = await _write(session, seal, wish, address, wish.secret or made)
        event = AuditEvent(AuditEventType.ENDPOINT_ADDED, "endpoint", endpoint_id, {"kind": wish.kind.value}, actor=OPERATOR)
        await record(session, wish.tenant_id, [event])
        endpoint = await find_endpoint(session, settings, wish.tenant_id, endpoint_id, now=now)
    if endpoint is None:
        raise LookupError(f"endpoint {endpoint_id} is gone in the transaction that wrote it")
    return AddedEndpoint(
        endpoint,
        None if made is None else made.get_secret_value(),
        _sentence(others, operator_listens=settings.webhook_url is not None, was_made=made is not None),
    )


async def _refuse_impossible(session: TenantSession, wish: EndpointWish) -> int:
    """How many endpoints the tenant has already."""
    if await find_tenant(session, wish.tenant_id) is None:
        raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {wish.tenant_id}; onboard it with POST /onboarding.")
    # Two at the same moment: the second waits here until the first has committed, and then counts it.
    await session.execute(_ONE_AT_A_TIME, {"which": f"endpoints of {wish.tenant_id}"})
    columns = follow_up_endpoints.c
    rows = await session.execute(select(columns.name).where(columns.tenant_id == wish.tenant_id, columns.removed_at.is_(None)))
    names = rows.scalars().all()
    if wish.name in names:
        raise RefusedRequest(409, "name_taken", "The tenant has an endpoint of this name already; choose another, or remove that one.")
    if len(names) >= MOST_ENDPOINTS:
        raise RefusedRequest(409, "too_many_endpoints", f"The tenant has {MOST_ENDPOINTS} endpoints, the most there may be; remove one.")
    return len(names)


async def _write(session: TenantSession, seal: EndpointSeal, wish: EndpointWish, address: str, secret: SecretStr | None) -> UUID:
    endpoint_id = new_id()
    await session.execute(
        insert(follow_up_endpoints).values(
            tenant_id=wish.tenant_id,
            id=endpoint_id,
            kind=wish.kind.value,
            name=wish.name,
            sealed_address=seal.seal(SecretStr(address), SealedPart.ADDRESS, wish.tenant_id, endpoint_id),
            shown_address=show_address(wish.kind, address),
            sealed_secret=None if secret is None else seal.seal(secret, SealedPart.SECRET, wish.tenant_id, endpoint_id),
        )
    )
    return endpoint_id


def _sentence(others: int, *, operator_listens: bool, was_made: bool) -> str:
    if others:
        told = f"New urgent leads of this tenant are told here as well, beside its {others} other endpoint{'' if others == 1 else 's'}."
    elif operator_listens:
        told = "New urgent leads of this tenant are told here, and no longer to WEBHOOK_URL; what is owed there already still goes there."
    else:
        told = "New urgent leads of this tenant are told here."
    return f"{told} Keep the secret now: it is not shown again." if was_made else told
