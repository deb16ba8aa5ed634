"""Whose delivery is it? The header says, else the body, else the Pages it came through."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from lead_signals.intake.prepare import Prepared
from lead_signals.json_body import JsonObject
from lead_signals.platforms.adapter import Adapter, Owner
from lead_signals.request_body import RefusedRequest

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # UUID() alone also takes braces, urn: and 1_0
LONGEST_PAGE_ID_SHOWN = 64
NOBODY = ""  # stands for a Page id where the delivery names none; a real one is never empty


class TenantIdSource(StrEnum):
    """Where the tenant was named."""

    HEADER = "header"
    BODY = "body"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One delivery that was proven, read and prepared, on its way to its tenants.

    `named` is the tenant that it names itself, and where. `signed` says that the platform proved to be the sender.
    """

    adapter: Adapter
    raw_body: bytes
    body: JsonObject
    prepared: Prepared
    named: tuple[UUID, TenantIdSource] | None
    signed: bool

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.adapter.platform

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels it names."""
        return tuple(channel for channel in self.prepared.channels if channel is not None)


@dataclass(frozen=True, slots=True)
class RoutedPart:
    """What one delivery holds for one tenant. `body` is the whole delivery unless `body_is_excerpt`."""

    tenant_id: UUID
    tenant_id_source: TenantIdSource
    prepared: Prepared
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


def route_delivery(delivery: Incoming, tenants: Mapping[str, UUID]) -> RoutedDelivery:
    """Split a delivery by tenant. `tenants` says whose its channels are; those that nobody connected are absent.

    Raises RefusedRequest (400) when a tenant is named and a Page of the delivery is connected to another one (the header is not
    under the signature: who repeats a delivery could send it anywhere), and when no tenant is named and the delivery is not
    proven to come from the platform: only a signed delivery for an unknown Page is kept for the operator.
    """
    if delivery.named is not None:
        tenant_id, source = delivery.named
        _refuse_pages_of_others(tenants, tenant_id, source)
        part = RoutedPart(tenant_id, source, delivery.prepared, delivery.raw_body, body_is_excerpt=False)
        return RoutedDelivery(delivery.platform, delivery.signed, [part], {})
    if not tenants and not delivery.signed:
        raise RefusedRequest(400, "no_tenant", _no_tenant(delivery.channels))
    parts, unrouted = _split(delivery, tenants)
    signed = delivery.signed
    return RoutedDelivery(delivery.platform, signed, parts, unrouted if signed else {}, pages_not_kept=0 if signed else len(unrouted))


def _refuse_pages_of_others(tenants: Mapping[str, UUID], tenant_id: UUID, source: TenantIdSource) -> None:
    foreign = next((page for page, owner in tenants.items() if owner != tenant_id), None)
    if foreign is not None:
        sentence = f"The Page {foreign[:LONGEST_PAGE_ID_SHOWN]} belongs to another tenant than {_NAMED_BY[source]} names."
        raise RefusedRequest(400, "page_of_another_tenant", sentence)


_NAMED_BY = {TenantIdSource.HEADER: "X-Tenant-ID (or the API key)", TenantIdSource.BODY: "tenant_id in the body"}


def _no_tenant(pages: Sequence[str]) -> str:
    hint = "Send the header X-Tenant-ID, or tenant_id in the body"
    return f"No tenant: the Page in entry[].id is not connected to any. {hint}." if pages else f"No tenant. {hint}."


def _split(delivery: Incoming, tenants: Mapping[str, UUID]) -> tuple[list[RoutedPart], dict[str, bytes]]:
    owner_of = _owners(delivery.prepared.channels, tenants)
    pages_of: dict[Owner, list[str | None]] = {}
    for page, owner in owner_of.items():
        pages_of.setdefault(owner, []).append(page)
    if len(pages_of) <= 1:  # each unknown Page counts by itself: two of them are two strangers to each other
        (owner,) = pages_of or [NOBODY]
        if isinstance(owner, UUID):
            return [RoutedPart(owner, TenantIdSource.CHANNEL, delivery.prepared, delivery.raw_body, body_is_excerpt=False)], {}
        return [], {owner: delivery.raw_body}
    bodies = _excerpts(delivery, owner_of)
    parts = [
        RoutedPart(owner, TenantIdSource.CHANNEL, delivery.prepared.for_channels(pages), bodies[owner], body_is_excerpt=True)
        for owner, pages in pages_of.items()
        if isinstance(owner, UUID)
    ]
    return parts, {owner: part for owner, part in bodies.items() if isinstance(owner, str)}


def _excerpts(delivery: Incoming, owner_of: Mapping[str | None, Owner]) -> dict[Owner, bytes]:
    if delivery.adapter.excerpts is None:
        raise AssertionError(f"{delivery.platform} names one channel in a delivery, and this one came through {len(owner_of)}")
    return delivery.adapter.excerpts(delivery.body, owner_of)


def _owners(channels: Sequence[str | None], tenants: Mapping[str, UUID]) -> dict[str | None, Owner]:
    """The tenant of each Page, or the Page itself when nobody connected it.

    Items that name no Page go with the delivery's only tenant; with several, or none, they belong to nobody.
    """
    connected = list(dict.fromkeys(tenants.values()))
    nameless: Owner = connected[0] if len(connected) == 1 else NOBODY
    return {page: nameless if page is None else tenants.get(page, page) for page in channels}
