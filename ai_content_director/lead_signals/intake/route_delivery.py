"""Whose delivery is it? The header says, else the body, else the Pages it came through."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.excerpt import excerpts
from lead_signals.json_body import JsonObject
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.channel import tenants_of_channels
from lead_signals.tenancy.tenant_session import across_tenants_session

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # UUID() alone also takes braces, urn: and 1_0
LONGEST_PAGE_ID_SHOWN = 64
NOBODY = ""  # stands for a Page id where the delivery names none; a real one is never empty


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
    """A delivery split by tenant.

    `unrouted` maps the id of each Page nobody connected to its part of the body. Unless the platform proved to be the sender it
    is empty, and `pages_not_kept` counts those Pages: anybody could fill the table with them.
    """

    platform: str
    signed: bool
    parts: Sequence[RoutedPart]
    unrouted: dict[str, bytes]
    pages_not_kept: int = 0


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

    Raises RefusedRequest (400) when a tenant is named and a Page of the delivery is connected to another one (the header is not
    under the signature: who repeats a delivery could send it anywhere), and when no tenant is named and the delivery is not
    proven to come from the platform: only a signed delivery for an unknown Page is kept for the operator.
    """
    named = named_tenant(tenant_headers, body)
    pages = [page for page in reading.channels if page is not None]
    tenants: Mapping[str, UUID] = {}
    if pages:
        async with across_tenants_session(engine) as session:
            tenants = await tenants_of_channels(session, platform, pages)
    if named is not None:
        tenant_id, source = named
        _refuse_pages_of_others(tenants, tenant_id, source)
        return RoutedDelivery(platform, signed, [RoutedPart(tenant_id, source, reading, raw_body, body_is_excerpt=False)], {})
    if not tenants and not signed:
        raise RefusedRequest(400, "no_tenant", _no_tenant(pages))
    parts, unrouted = await beside_the_loop(len(raw_body), _split, raw_body, body, reading, tenants)
    return RoutedDelivery(platform, signed, parts, unrouted if signed else {}, pages_not_kept=0 if signed else len(unrouted))


def _refuse_pages_of_others(tenants: Mapping[str, UUID], tenant_id: UUID, source: TenantIdSource) -> None:
    foreign = next((page for page, owner in tenants.items() if owner != tenant_id), None)
    if foreign is not None:
        sentence = f"The Page {foreign[:LONGEST_PAGE_ID_SHOWN]} belongs to another tenant than {_NAMED_BY[source]} names."
        raise RefusedRequest(400, "page_of_another_tenant", sentence)


_NAMED_BY = {TenantIdSource.HEADER: "X-Tenant-ID", TenantIdSource.BODY: "tenant_id in the body"}


def _no_tenant(pages: Sequence[str]) -> str:
    hint = "Send the header X-Tenant-ID, or tenant_id in the body"
    return f"No tenant: the Page in entry[].id is not connected to any. {hint}." if pages else f"No tenant. {hint}."


def _split(raw_body: bytes, body: JsonObject, reading: Reading, tenants: Mapping[str, UUID]) -> tuple[list[RoutedPart], dict[str, bytes]]:
    owner_of = _owners(reading.channels, tenants)
    pages_of: dict[UUID | str, list[str | None]] = {}
    for page, owner in owner_of.items():
        pages_of.setdefault(owner, []).append(page)
    is_whole = len(pages_of) <= 1  # each unknown Page counts by itself: two of them are two strangers to each other
    bodies = dict.fromkeys(pages_of or [NOBODY], raw_body) if is_whole else excerpts(body, owner_of)
    parts = [
        RoutedPart(owner, TenantIdSource.CHANNEL, reading.for_channels(pages), bodies[owner], body_is_excerpt=not is_whole)
        for owner, pages in pages_of.items()
        if isinstance(owner, UUID)
    ]
    return parts, {owner: part for owner, part in bodies.items() if isinstance(owner, str)}


def _owners(channels: Sequence[str | None], tenants: Mapping[str, UUID]) -> dict[str | None, UUID | str]:
    """The tenant of each Page, or the Page itself when nobody connected it.

    Items that name no Page go with the delivery's only tenant; with several, or none, they belong to nobody.
    """
    connected = list(dict.fromkeys(tenants.values()))
    nameless: UUID | str = connected[0] if len(connected) == 1 else NOBODY
    return {page: nameless if page is None else tenants.get(page, page) for page in channels}
