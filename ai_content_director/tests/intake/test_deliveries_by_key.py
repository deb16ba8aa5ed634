"""A program of a tenant delivers without the platform's signature, by the tenant's key: for this tenant, and for no other."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.engine import app_engine
from lead_signals.database.migrate import migrate
from lead_signals.tenancy.api_key import make_api_key, revoke_api_key
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import said_on
from tests.intake.books import assert_books_balance
from tests.intake.captured_logs import CapturedLogs, captured_logs
from tests.intake.open_door import assert_refused, fetch, open_door, rows_by_table
from tests.intake.own_server import empty_database, own_server
from tests.signatures import PLATFORMS, signed_as

OPERATOR = "khoa-van-hanh-4711"
PRODUCTION = {"FACEBOOK_APP_SECRET": "bi-mat-cua-trang", "FACEBOOK_VERIFY_TOKEN": "mat-ma", "OPERATOR_API_KEY": OPERATOR}
NOBODY_LISTENS = "postgresql://lead_signals_app@127.0.0.1:1/lead_signals"
each_platform = pytest.mark.parametrize("platform", PLATFORMS)

WAYS: dict[str, Callable[[str], dict[str, str]]] = {
    "Bearer": lambda key: {"authorization": f"Bearer {key}"},
    "bearer, in small letters": lambda key: {"authorization": f"bearer   {key} "},
    "X-API-Key": lambda key: {"x-api-key": key},
    "the password of Basic": lambda key: {"authorization": "Basic " + base64.b64encode(f"crm:{key}".encode()).decode()},
    "beside a wrong Bearer": lambda key: {"authorization": "Bearer khac", "x-api-key": key},
}


@dataclass(frozen=True, slots=True)
class House:
    """A product in production, with the Page's secret only; two tenants, and a key of the first."""

    engine: AsyncEngine
    addresses: DatabaseAddresses
    client: httpx.AsyncClient
    logs: CapturedLogs
    here: UUID
    there: UUID
    key_id: UUID
    key: str

    async def deliver(self, platform: str, headers: dict[str, str], channel: str = "710020003000", **more: Any) -> httpx.Response:
        """One fresh message, unsigned."""
        body = said_on(platform, channel, uuid4().hex, "Cho tôi báo giá gói Enterprise") | more
        return await self.client.post(f"/webhooks/{platform}", json=body, headers=headers)

    async def receipts(self) -> list[tuple[str, bool, str]]:
        """What the first tenant received: platform, whether it was signed, and who named the tenant."""
        kept = "SELECT platform, signed, tenant_id_source FROM receipts WHERE tenant_id = $1"
        return [tuple(row) for row in await fetch(self.addresses.owner, kept, self.here)]

    async def stores_nothing(self, answer: Callable[[], Any]) -> httpx.Response:
        """The answer to a request that must leave no row."""
        before = await rows_by_table(self.addresses.owner)
        answered: httpx.Response = await answer()
        assert await rows_by_table(self.addresses.owner) == before
        return answered


@pytest.fixture(scope="module")
def addresses(postgres_binaries: PostgresBinaries | None) -> Iterator[DatabaseAddresses]:
    """A database that the application role logs in to by itself, as production wants it."""
    with own_server(postgres_binaries) as server:
        addresses = empty_database(server)
        migrate(addresses)
        yield addresses


@pytest.fixture
async def house(addresses: DatabaseAddresses) -> AsyncIterator[House]:
    """At the end the books balance, and no line of the log shows a key, not even the half of one."""
    engine = app_engine(addresses.app, application_name="tests", pool_size=2)
    here, there = [(await onboard_tenant(engine, Onboarding(tenant_name=name))).tenant.id for name in ("Mộc An Nhiên", "Thép Bắc Hà")]
    async with tenant_session(engine, here) as session:
        key_id, key = await make_api_key(session, here, "Cầu nối CRM")
    environment = {"APP_ENV": "production", "DATABASE_URL": addresses.app, **PRODUCTION}
    with captured_logs("DEBUG") as logs:
        async with open_door(addresses.app, **environment) as client:
            house = House(engine, addresses, client, logs, here, there, key_id, key)
            yield house
    await engine.dispose()
    if await house.receipts():
        await assert_books_balance(addresses.owner)
    assert "lsk_" not in logs.text
    assert key[-43:] not in logs.text
    assert base64.b64encode(f"crm:{key}".encode()).decode() not in logs.text


@each_platform
@pytest.mark.parametrize("way", WAYS)
async def test_a_key_admits_for_its_tenant(way: str, platform: str, house: House) -> None:
    assert (await house.deliver(platform, {})).status_code == 401
    answer = await house.deliver(platform, WAYS[way](house.key))
    assert (answer.status_code, answer.json()["created"]) == (200, 1), answer.text
    assert await house.receipts() == [(platform, False, "header")]
    (told,) = house.logs.events("delivery_admitted")
    assert told["tenant_id"] == str(house.here)
    operator = {"x-api-key": OPERATOR}
    (lead,) = (await house.client.get("/api/leads", params={"tenant_id": str(house.here)}, headers=operator)).json()["leads"]
    assert (lead["platform"], lead["content_text"]) == (platform, "Cho tôi báo giá gói Enterprise")


async def test_naming_its_own_tenant_is_allowed(house: House) -> None:
    key = {"x-api-key": house.key}
    assert (await house.deliver("facebook", {**key, "X-Tenant-ID": str(house.here)})).json()["created"] == 1
    assert (await house.deliver("facebook", key, tenant_id=str(house.here))).json()["created"] == 1
    assert {source for _, _, source in await house.receipts()} == {"header", "body"}


async def test_naming_another_tenant_is_forbidden(house: House) -> None:
    key = {"x-api-key": house.key}
    for whose in (house.there, uuid4()):
        by_header = await house.stores_nothing(lambda whose=whose: house.deliver("facebook", {**key, "X-Tenant-ID": str(whose)}))
        assert_refused(by_header, 403, "another tenant than the one this delivery names")
        by_body = await house.stores_nothing(lambda whose=whose: house.deliver("facebook", key, tenant_id=str(whose)))
        assert_refused(by_body, 403, "another tenant than the one this delivery names")
    assert {event["reason"] for event in house.logs.events("delivery_refused")} == {"key_of_another_tenant"}


@each_platform
async def test_a_channel_of_another_tenant_is_no_business_of_this_key(platform: str, house: House) -> None:
    channel = str(uuid4().int)[:15]
    async with tenant_session(house.engine, house.there) as session:
        await connect_channel(session, house.there, platform=platform, external_id=channel)
    key = {"x-api-key": house.key}
    answer = await house.stores_nothing(lambda: house.deliver(platform, key, channel))
    assert_refused(answer, 400, channel, "another tenant")
    async with tenant_session(house.engine, house.here) as session:
        own = str(uuid4().int)[:15]
        await connect_channel(session, house.here, platform=platform, external_id=own)
    assert (await house.deliver(platform, key, own)).json()["created"] == 1


@pytest.mark.parametrize("platform", ["facebook", "zalo"])  # one has a secret here, the other has none
async def test_a_key_that_is_none_is_refused_and_says_so(platform: str, house: House) -> None:
    async with tenant_session(house.engine, house.here) as session:
        closed_id, closed = await make_api_key(session, house.here, "Cũ")
        assert await revoke_api_key(session, house.here, closed_id)
    made_up = f"lsk_{house.here.hex}_{'x' * 43}"
    elsewhere = house.key.replace(house.here.hex, house.there.hex)
    wrong = (closed, made_up, elsewhere, house.key[:-1], house.key + "x", house.key.upper(), "lsk_", "x" * 5_000, OPERATOR, "khoá")
    for key in wrong:
        for headers in ({b"x-api-key": key.encode()}, {b"authorization": b"Bearer " + key.encode()}):
            answer = await house.stores_nothing(lambda headers=headers: house.deliver(platform, headers))
            assert_refused(answer, 401, "This API key is unknown or was revoked", "lead-signals keys make")
            assert key not in answer.text
            assert "www-authenticate" not in answer.headers
    assert {event["reason"] for event in house.logs.events("delivery_refused")} == {"bad_key"}
    assert closed[-43:] not in house.logs.text


@pytest.mark.parametrize("platform", ["facebook", "zalo"])
@pytest.mark.parametrize("scheme", ["Token", "Key", "Bearer:", "Digest"])
async def test_a_key_that_nobody_can_read_is_told_how_to_be_sent(scheme: str, platform: str, house: House) -> None:
    answer = await house.stores_nothing(lambda: house.deliver(platform, {"authorization": f"{scheme} {house.key}"}))
    assert_refused(answer, 401, "Authorization: Bearer <key>")
    assert house.key not in answer.text


async def test_a_wrong_key_is_refused_before_the_body_is_taken_in(house: House) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield b"{}"

    answer = await house.client.post("/webhooks/zalo", content=body(), headers={"x-api-key": f"lsk_{house.here.hex}_{'x' * 43}"})
    assert (answer.status_code, taken) == (401, 0)


async def test_the_moment_it_is_revoked_it_admits_nothing_more(house: House) -> None:
    key = {"x-api-key": house.key}
    assert (await house.deliver("tiktok", key)).status_code == 200
    async with tenant_session(house.engine, house.here) as session:
        assert await revoke_api_key(session, house.here, house.key_id)
    assert (await house.stores_nothing(lambda: house.deliver("tiktok", key))).status_code == 401


async def test_a_tenants_key_opens_nothing_but_the_door_for_deliveries(house: House) -> None:
    key = {"x-api-key": house.key}
    for method, address in (("GET", "/"), ("GET", "/metrics"), ("GET", "/openapi.json"), ("GET", "/api/channels"), ("POST", "/onboarding")):
        assert (await house.client.request(method, address, headers=key, json={})).status_code == 401
    assert (await house.client.get("/api/leads", params={"tenant_id": str(house.here)}, headers=key)).status_code == 401


async def test_where_a_signature_comes_the_signature_decides(house: House) -> None:
    raw = json.dumps(said_on("facebook", "710020003000", uuid4().hex, "Cho tôi báo giá")).encode()
    told = [(b"x-api-key", house.key.encode()), (b"x-tenant-id", str(house.here).encode())]

    async def post(secret: str) -> httpx.Response:
        return await house.client.post("/webhooks/facebook", content=raw, headers=[*told, *signed_as("facebook", raw, secret)])

    assert_refused(await house.stores_nothing(lambda: post("bi-mat-khac")), 401, "not made with this app's secret")
    assert (await post("bi-mat-cua-trang")).json()["created"] == 1
    assert await house.receipts() == [("facebook", True, "header")]


@pytest.mark.parametrize("platform", ["facebook", "zalo"])
async def test_while_the_database_is_away_nobody_is_told_that_a_key_is_wrong(platform: str) -> None:
    key = f"lsk_{uuid4().hex}_{'x' * 43}"
    async with open_door(NOBODY_LISTENS, APP_ENV="production", DATABASE_URL=NOBODY_LISTENS, **PRODUCTION) as client:
        with captured_logs("DEBUG") as logs:
            answer = await client.post(f"/webhooks/{platform}", json={}, headers={"x-api-key": key})
            assert_refused(answer, 503, "database cannot be reached", "nothing was stored")
            assert int(answer.headers["retry-after"]) > 0
            assert (await client.post(f"/webhooks/{platform}", json={}, headers={"x-api-key": "lsk_1"})).status_code == 401
    assert len(logs.events("database_away")) == 1
    assert key not in logs.text


@each_platform
async def test_in_local_what_is_unsigned_is_taken_with_a_key_and_without(
    platform: str, database: DatabaseAddresses, engine: AsyncEngine, tenant_id: UUID
) -> None:
    async with tenant_session(engine, tenant_id) as session:
        _, key = await make_api_key(session, tenant_id, "Cầu nối CRM")
    async with open_door(database.app) as client:

        async def deliver(**headers: str) -> httpx.Response:
            body = said_on(platform, "710020003000", uuid4().hex, "Cho tôi báo giá")
            return await client.post(f"/webhooks/{platform}", json=body, headers=headers)

        tenant = {"X-Tenant-ID": str(tenant_id)}
        for headers in (tenant, {"x-api-key": key}, {**tenant, "x-api-key": key}, {**tenant, "authorization": "Bearer khac"}):
            answer = await deliver(**headers)
            assert (answer.status_code, answer.json()["created"]) == (200, 1), answer.text
        assert_refused(await deliver(), 400, "No tenant")
        assert_refused(await deliver(**{"x-api-key": key, "X-Tenant-ID": str(uuid4())}), 403, "another tenant")
