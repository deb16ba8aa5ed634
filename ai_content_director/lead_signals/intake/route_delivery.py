"""Whose delivery is it? The header says, else the body, else the Pages it came through."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake.excerpt import excerpt
from lead_signals.json_body import JsonObject
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.channel import tenants_of_channels
from lead_signals.tenancy.tenant_session import across_tenants_session

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # UUID() alone also takes braces, urn: and 1_0


class TenantIdSource(StrEnum):
    """Where the tenant was named."""

    HEADER = "header"
    BODY = "body"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class RoutedPart:
    """What one delivery holds for one tenant. `body` is the whole delivery unless `body_is_excerpt`."""

    tenant_id: UUID
    tenant_id_source: TenantIdSource
    reading: Reading
    body: bytes
    body_is_excerpt: bool


@dataclass(frozen=True, slots=True)
class RoutedDelivery:
    """A delivery split by tenant. `unrouted` maps the id of each Page nobody connected to its part of the body."""

    platform: str
    signed: bool
    parts: Sequence[RoutedPart]
    unrouted: dict[str, bytes]


def named_tenant(tenant_headers: Sequence[str], body: JsonObject) -> tuple[UUID, TenantIdSource] | None:
    """The tenant that X-Tenant-ID names, else `tenant_id` of the body; None when neither is there.

    Raises RefusedRequest (400) when the one that counts is malformed, or the header is repeated with different values.
    """
    if tenant_headers:
        if len(set(tenant_headers)) > 1:
            raise RefusedRequest(400, "bad_tenant", "The header X-Tenant-ID appears more than once; send it once.")
        return _tenant_id(tenant_headers[0], "The header X-Tenant-ID"), TenantIdSource.HEADER
    if body.get("tenant_id") is not None:
        return _tenant_id(body["tenant_id"], "tenant_id in the body"), TenantIdSource.BODY
    return None


def _tenant_id(value: object, where: str) -> UUID:
    if isinstance(value, str) and _UUID.fullmatch(value.strip()):
        return UUID(value.strip())
    raise RefusedRequest(400, "bad_tenant", f"{where} is not a tenant id; it looks like 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b.")


async def route_delivery(
    engine: AsyncEngine, platform: str, raw_body: bytes, body: JsonObject, reading: Reading, *, tenant_headers: Sequence[str], signed: bool
) -> RoutedDelivery:
    """Split a delivery by tenant.

    Raises RefusedRequest (400) when no tenant is named and the delivery is not proven to come from the platform: only a
    signed delivery for an unknown Page is kept for the operator.
    """
    named = named_tenant(tenant_headers, body)
    if named is not None:
        tenant_id, source = named
        return RoutedDelivery(platform, signed, [RoutedPart(tenant_id, source, reading, raw_body, body_is_excerpt=False)], {})
    pages = [page for page in reading.channels if page is not None]
    async with across_tenants_session(engine) as session:
        tenants = await tenants_of_channels(session, platform, pages)
    if not tenants and not signed:
        raise RefusedRequest(400, "no_tenant", _no_tenant(pages))
    return RoutedDelivery(platform, signed, *_split(raw_body, body, reading, tenants))


def _no_tenant(pages: Sequence[str]) -> str:
    hint = "Send the header X-Tenant-ID, or tenant_id in the body"
    return f"No tenant: the Page in entry[].id is not connected to any. {hint}." if pages else f"No tenant. {hint}."


def _split(raw_body: bytes, body: JsonObject, reading: Reading, tenants: Mapping[str, UUID]) -> tuple[list[RoutedPart], dict[str, bytes]]:
    pages_of: dict[UUID | None, list[str | None]] = {}
    for page in reading.channels:
        pages_of.setdefault(tenants.get(page) if page is not None else None, []).append(page)
    # Items that name no Page go with the delivery's only tenant; with several they belong to nobody.
    if len(tenants_here := [tenant for tenant in pages_of if tenant is not None]) == 1 and None in pages_of.get(None, []):
        pages_of[None].remove(None)
        pages_of[tenants_here[0]].append(None)
    whole = len([pages for pages in pages_of.values() if pages]) == 1
    parts = [
        RoutedPart(
            tenant_id,
            TenantIdSource.CHANNEL,
            _merge([reading.for_channel(page) for page in pages]),
            raw_body if whole else excerpt(body, pages, reading.channels),
            body_is_excerpt=not whole,
        )
        for tenant_id, pages in pages_of.items()
        if tenant_id is not None
    ]
    unrouted = {page or "": raw_body if whole else excerpt(body, [page], reading.channels) for page in pages_of.get(None, [])}
    if not pages_of:
        unrouted = {"": raw_body}
    return parts, unrouted


def _merge(readings: Sequence[Reading]) -> Reading:
    return Reading(
        tuple(signal for reading in readings for signal in reading.signals),
        tuple(item for reading in readings for item in reading.ignored),
        tuple(item for reading in readings for item in reading.quarantined),
    )
