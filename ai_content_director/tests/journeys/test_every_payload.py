"""Every delivery we have, of every platform, signed and posted to a running server: the leads that should come of it are there, once."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.tenancy.api_key import make_api_key
from lead_signals.tenancy.tenant_session import tenant_session
from tests.door import Door
from tests.intake.books import assert_books_balance
from tests.invariants import assert_nothing_half
from tests.journeys.payloads import Payload, escaped, own_payloads, public_payloads
from tests.product import Api, Product, product_on
from tests.signatures import ENVIRONMENT, PLATFORMS, SECRETS, Headers, signed_as

SENDERS = 4
# Zalo signs the app's id and a time, both digits. These were copied from manuals, which leave one out or write "..." for it: no
# signature of Zalo's can be made for them, and a program of the tenant delivers them by its key.
NOTHING_TO_SIGN = (
    "zalo-oa-send-text__",
    "zalo-sender-empty__",
    "zalo-text-vi-int-timestamp__",
    "zalo-user-click-button__",
    "zalo-user-seen__",
    "zalo-user-send-location-in-message__",
)
# How many items say something under no id at all. Nobody can recognise those again: they become leads each time they come.
PUBLIC_WITHOUT_AN_ID = {
    "feed-comment-vi-no-ids__index-57883982508__1.json": 1,
    "zalo-text-vi-flat-oa-id__index-53462110848__1.json": 1,
}
OWN_WITHOUT_AN_ID = {
    "facebook/mock_entries.json": 1,
    "facebook/relay_without_object_and_field.json": 1,
    "instagram/comment_without_text_or_name.json": 1,
    "tiktok/message_without_id.json": 1,
    "whatsapp/hostile_text.json": 1,
    "zalo/message_flat_without_id.json": 1,
}
OWN_TO_THE_LEAD = {"id", "tenant_id", "content_id", "created_at", "updated_at"}
SHORTEST_TEXT_TO_SEARCH_FOR = 12
COUNTED = """
    SELECT sum(items_received), sum(items_created), sum(items_updated), sum(items_ignored), sum(items_quarantined),
      (SELECT count(*) FROM lead_signals), coalesce(sum((ignored_reasons ->> 'change_before_its_message')::int), 0) FROM receipts"""


@dataclass(frozen=True, slots=True)
class Letter:
    """One payload on its way to a tenant of its own, as it was written or escaped. With a key it goes unsigned."""

    payload: Payload
    body: bytes
    tenant_id: str
    key: str | None

    @property
    def headers(self) -> Headers:
        """Who sends it, and for whom."""
        tenant = (b"x-tenant-id", self.tenant_id.encode())
        if self.key is not None:
            return [tenant, (b"authorization", f"Bearer {self.key}".encode())]
        return [tenant, *signed_as(self.payload.platform, self.body)]


@pytest.fixture
def product(fresh_database: DatabaseAddresses, tmp_path: Path) -> Iterator[Product]:
    with product_on(fresh_database, tmp_path, **ENVIRONMENT) as product:
        yield product


def test_every_public_payload_makes_its_leads_once(product: Product, shared: Path) -> None:
    payloads = public_payloads(shared / "payloads")
    assert len(payloads) == 226
    assert {payload.platform for payload in payloads} == set(PLATFORMS)
    deliver_all(product, payloads, PUBLIC_WITHOUT_AN_ID)


def test_every_payload_of_our_own_makes_its_leads_once(product: Product) -> None:
    payloads = own_payloads()
    assert {payload.platform for payload in payloads} == set(PLATFORMS)
    deliver_all(product, payloads, OWN_WITHOUT_AN_ID)


def deliver_all(product: Product, payloads: Sequence[Payload], without_an_id: dict[str, int]) -> None:
    """Post each as it was written to one tenant and escaped to another, compare what is listed, post all again, and count the items."""
    api = product.start_api()
    with Door(api.base_url) as door, ThreadPoolExecutor(SENDERS) as senders:
        letters = letters_of(product, door, payloads)
        created = list(senders.map(lambda letter: deliver(door, letter), letters))
        listed = list(senders.map(lambda letter: door.leads(letter.tenant_id), letters))
        first = product.rows.of(COUNTED)[0]
        wrong = {
            letter.payload.name: (number, len(leads), letter.payload.missing(leads))
            for letter, number, leads in zip(letters, created, listed, strict=True)
            if (number, len(leads)) != (letter.payload.leads,) * 2 or letter.payload.missing(leads)
        }
        assert wrong == {}
        for position in range(0, len(letters), 2):
            assert what_is_said(listed[position]) == what_is_said(listed[position + 1]), letters[position].payload.name

        nameless = {
            letter.payload.name: sum(lead["external_message_id"] is None for lead in leads)
            for letter, leads in zip(letters, listed, strict=True)
        }
        assert {name: number for name, number in nameless.items() if number} == without_an_id
        again = list(senders.map(lambda letter: deliver(door, letter), letters))
    assert {letter.payload.name: number for letter, number in zip(letters, again, strict=True) if number} == without_an_id
    second, anew = product.rows.of(COUNTED)[0], 2 * sum(without_an_id.values())
    received, made, updated, ignored, quarantined, leads, early = first  # a change that came before its message is known the next time
    assert tuple(second) == (2 * received, made + anew, updated, 2 * ignored - early, 2 * quarantined, leads + anew, early)
    asyncio.run(assert_books_balance(product.addresses.owner))
    assert_nothing_half(product.rows)
    assert_nothing_in_the_log(api, letters, [lead["content_text"] for leads in listed for lead in leads])


def letters_of(product: Product, door: Door, payloads: Sequence[Payload]) -> list[Letter]:
    """Two for each payload, each to a fresh tenant; those that nobody can sign are tried and refused, and get a key."""
    written = [(payload, body) for payload in payloads for body in (payload.body, escaped(payload.body))]
    letters = [Letter(payload, body, door.onboard(), None) for payload, body in written]
    unsigned = [letter for letter in letters if letter.payload.name.startswith(NOTHING_TO_SIGN)]
    assert [post(door, letter).status_code for letter in unsigned] == [401] * len(unsigned)
    keys = asyncio.run(make_keys(product.addresses.app, [UUID(letter.tenant_id) for letter in unsigned]))
    return [Letter(letter.payload, letter.body, letter.tenant_id, keys.get(letter.tenant_id)) for letter in letters]


async def make_keys(app_address: str, tenants: Sequence[UUID]) -> dict[str, str]:
    """A fresh key for each of these tenants."""
    engine, keys = app_engine(app_address, application_name="tests", pool_size=1), dict[str, str]()
    for tenant_id in tenants:
        async with tenant_session(engine, tenant_id) as session:
            _, keys[str(tenant_id)] = await make_api_key(session, tenant_id, "Cầu nối")
    await engine.dispose()
    return keys


def post(door: Door, letter: Letter) -> httpx.Response:
    return door.http.post(f"/webhooks/{letter.payload.platform}", content=letter.body, headers=letter.headers)


def deliver(door: Door, letter: Letter) -> int:
    """How many leads the delivery created."""
    answer = post(door, letter)
    assert answer.status_code == 200, (letter.payload.name, answer.text)
    assert answer.json()["created"] == len(answer.json()["lead_ids"])
    return int(answer.json()["created"])


def what_is_said(leads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in lead.items() if name not in OWN_TO_THE_LEAD} for lead in leads]


def assert_nothing_in_the_log(api: Api, letters: Sequence[Letter], texts: Sequence[str]) -> None:
    """Neither a secret, nor a key, nor what a person wrote."""
    log = api.log_path.read_text(encoding="utf-8")
    assert log.count('"delivery_admitted"') == 2 * len(letters)
    said = {json.dumps(text)[1:-1] for text in texts if len(text) >= SHORTEST_TEXT_TO_SEARCH_FOR}  # as a line of the log would have it
    keys = {letter.key for letter in letters if letter.key is not None}
    assert [text for text in (*SECRETS.values(), *keys, *said) if text in log] == []
