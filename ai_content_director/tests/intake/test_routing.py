"""Whose delivery is it? Header before body before Page, and no tenant ever holds what belongs to another."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import comment
from tests.intake.books import assert_books_balance
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import WEBHOOK, assert_refused, fetch, metric, open_door, rows_by_table
from tests.intake.page_deliveries import SECRET, comment_change, delivery, message_to, page_entry, signed

REFUSED_PAGE = "page_of_another_tenant"


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app, FACEBOOK_APP_SECRET=SECRET, WEBHOOK_URL="https://n8n.example/webhook") as client:
        yield client


@pytest.fixture
async def tenants(engine: AsyncEngine) -> list[tuple[UUID, str]]:
    """Two tenants, each with a Page of its own: `(tenant_id, page_id)`."""
    made = []
    for name in ("Xưởng Gốm Thanh Hà", "Vật liệu Sông Đà"):
        tenant = (await onboard_tenant(engine, Onboarding(tenant_name=name))).tenant
        page = str(uuid4().int)[:15]
        async with tenant_session(engine, tenant.id) as session:
            await connect_channel(session, tenant.id, platform="facebook", external_id=page)
        made.append((tenant.id, page))
    return made


async def send(client: httpx.AsyncClient, raw: bytes, **headers: str) -> httpx.Response:
    return await client.post(WEBHOOK, content=raw, headers={**signed(raw), **headers})


async def messages_of(client: httpx.AsyncClient, tenant_id: UUID) -> set[str]:
    listed = (await client.get("/api/leads", params={"tenant_id": str(tenant_id), "limit": 200})).json()
    return {lead["external_message_id"] for lead in listed["leads"]}


async def receipts_of(database: DatabaseAddresses, tenant_id: UUID) -> list[dict[str, Any]]:
    rows = await fetch(database.owner, "SELECT * FROM receipts WHERE tenant_id = $1 ORDER BY received_at", tenant_id)
    return [dict(row) for row in rows]


async def test_header_beats_body_beats_page(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenants: list[tuple[UUID, str]]
) -> None:
    (header_tenant, _), (other, page) = tenants
    body_named = orjson.dumps({"object": "page", "tenant_id": str(other), "entry": [page_entry("1", ("m2", "Cho tôi báo giá"))]})
    with captured_logs() as logs:
        both_named = orjson.dumps({"object": "page", "tenant_id": str(other), "entry": [page_entry("1", ("m1", "Cho tôi báo giá"))]})
        assert (await send(client, both_named, **{"X-Tenant-ID": str(header_tenant)})).json()["created"] == 1
        assert (await send(client, body_named)).json()["created"] == 1
        assert (await send(client, delivery(page_entry(page, ("m3", "Cho tôi báo giá"))))).json()["created"] == 1
    told = [(event["tenant_id"], event["tenant_id_source"]) for event in logs.events("delivery_admitted")]
    assert told == [(str(header_tenant), "header"), (str(other), "body"), (str(other), "channel")]
    assert await messages_of(client, header_tenant) == {"m1"}
    assert await messages_of(client, other) == {"m2", "m3"}
    kept = await receipts_of(database, other)
    assert [receipt["tenant_id_source"] for receipt in kept] == ["body", "channel"]


@pytest.mark.parametrize("place", ["header", "body"])
async def test_a_page_of_another_tenant_is_refused(
    place: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenants: list[tuple[UUID, str]]
) -> None:
    (owner, page), (thief, own_page) = tenants
    entries = [page_entry(own_page, ("t1", "Cho tôi báo giá")), page_entry(page, ("o1", "Cho tôi báo giá"))]
    named = {"tenant_id": str(thief)} if place == "body" else {}
    raw = orjson.dumps({"object": "page", **named, "entry": entries})
    before, counted = await rows_by_table(database.owner), await metric(client, "lead_signals_deliveries_total", answer=REFUSED_PAGE)

    answer = await send(client, raw, **({"X-Tenant-ID": str(thief)} if place == "header" else {}))

    assert_refused(answer, 400, f"The Page {page} belongs to another tenant", "X-Tenant-ID" if place == "header" else "tenant_id")
    assert str(owner) not in answer.text
    assert await rows_by_table(database.owner) == before
    assert await metric(client, "lead_signals_deliveries_total", answer=REFUSED_PAGE) == counted + 1
    assert (await send(client, delivery(*entries))).json()["created"] == 2, "each to its own"


async def test_a_named_tenant_may_send_its_own_and_unknown_pages(client: httpx.AsyncClient, tenants: list[tuple[UUID, str]]) -> None:
    tenant_id, page = tenants[0]
    raw = delivery(page_entry(page, ("m1", "Cho tôi báo giá")), page_entry(uuid4().hex, ("m2", "Cho tôi báo giá")))
    assert (await send(client, raw, **{"X-Tenant-ID": str(tenant_id)})).json()["created"] == 2
    assert await messages_of(client, tenant_id) == {"m1", "m2"}


async def test_a_header_in_capitals_and_with_spaces_is_the_same_tenant(client: httpx.AsyncClient, tenants: list[tuple[UUID, str]]) -> None:
    tenant_id, _ = tenants[0]
    raw = orjson.dumps(comment("m1"))
    assert (await send(client, raw, **{"x-tenant-id": f"  {str(tenant_id).upper()} "})).json()["created"] == 1
    assert await messages_of(client, tenant_id) == {"m1"}


async def test_pages_of_two_tenants_in_one_post(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenants: list[tuple[UUID, str]]
) -> None:
    (first, first_page), (second, second_page) = tenants
    raw = delivery(
        page_entry(first_page, ("a1", "ALPHA Cho tôi báo giá"), ("a2", "ALPHA Cần tư vấn")),
        page_entry(second_page, ("b1", "BETA Cho tôi báo giá")),
        {**page_entry(first_page), "changes": [{"field": "feed", "value": "ALPHA strange"}]},
        {
            "id": second_page,
            "messaging": [message_to(second_page, "b2", "BETA Còn hàng không?"), {"sender": "BETA strange", "message": {}}],
        },
    )

    answer = await send(client, raw)

    assert (answer.status_code, answer.json()["created"]) == (200, 4)
    assert (await messages_of(client, first), await messages_of(client, second)) == ({"a1", "a2"}, {"b1", "b2"})
    (of_first,), (of_second,) = await receipts_of(database, first), await receipts_of(database, second)
    assert (of_first["body_is_excerpt"], of_second["body_is_excerpt"], of_first["signed"]) == (True, True, True)
    assert (of_first["items_received"], of_first["items_created"], of_first["items_quarantined"]) == (3, 2, 1)
    assert (of_second["items_received"], of_second["items_created"], of_second["items_quarantined"]) == (3, 2, 1)
    assert [entry["id"] for entry in orjson.loads(of_first["body"])["entry"]] == [first_page, first_page]
    assert [entry["id"] for entry in orjson.loads(of_second["body"])["entry"]] == [second_page, second_page]
    await assert_only(database, first, holds=b"ALPHA", never=b"BETA")
    await assert_only(database, second, holds=b"BETA", never=b"ALPHA")
    for tenant_id, _ in tenants:
        await assert_books_balance(database.owner, tenant_id)


async def test_several_pages_of_one_tenant_keep_the_whole_body(
    client: httpx.AsyncClient, database: DatabaseAddresses, engine: AsyncEngine, tenants: list[tuple[UUID, str]]
) -> None:
    tenant_id, page = tenants[0]
    async with tenant_session(engine, tenant_id) as session:
        await connect_channel(session, tenant_id, platform="facebook", external_id=page + "9")
    raw = delivery(page_entry(page, ("a1", "Cho tôi báo giá")), page_entry(page + "9", ("a2", "Cho tôi báo giá")))
    assert (await send(client, raw)).json()["created"] == 2
    (receipt,) = await receipts_of(database, tenant_id)
    assert (receipt["body"], receipt["body_is_excerpt"]) == (raw, False)


async def test_a_known_and_an_unknown_page_in_one_post(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenants: list[tuple[UUID, str]]
) -> None:
    (tenant_id, page), stranger = tenants[0], str(uuid4().int)[:14]
    raw = delivery(page_entry(stranger, ("x1", "GAMMA Cho tôi báo giá")), page_entry(page, ("a1", "ALPHA Cho tôi báo giá")))
    with captured_logs() as logs:
        answer = await send(client, raw)
    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    assert len(logs.events("delivery_unrouted")) == 1
    (kept,) = await fetch(database.owner, "SELECT body FROM unrouted_deliveries WHERE channel_external_id = $1", stranger)
    assert [entry["id"] for entry in orjson.loads(kept["body"])["entry"]] == [stranger]
    assert b"ALPHA" not in kept["body"]
    await assert_only(database, tenant_id, holds=b"ALPHA", never=b"GAMMA")


async def test_two_unknown_pages_in_one_post_never_hold_each_others_messages(
    client: httpx.AsyncClient, database: DatabaseAddresses
) -> None:
    ours, theirs = uuid4().hex, uuid4().hex
    raw = orjson.dumps(
        {
            "object": "page",
            "relay": "OMEGA which names every Page",
            "entry": [page_entry(ours, ("x1", "GAMMA")), page_entry(theirs, ("y1", "DELTA")), page_entry(ours, ("x2", "GAMMA"))],
        }
    )
    counted = await metric(client, "lead_signals_unknown_pages_total", fate="kept")
    assert (await send(client, raw)).json()["created"] == 0
    kept = await unrouted_of(database, ours, theirs)
    assert {page: orjson.loads(body) for page, body in kept.items()} == {
        ours: {"object": "page", "entry": [page_entry(ours, ("x1", "GAMMA")), page_entry(ours, ("x2", "GAMMA"))]},
        theirs: {"object": "page", "entry": [page_entry(theirs, ("y1", "DELTA"))]},
    }
    assert await metric(client, "lead_signals_unknown_pages_total", fate="kept") == counted + 2


async def test_a_thousand_unknown_pages_take_no_more_room_than_their_delivery(
    client: httpx.AsyncClient, database: DatabaseAddresses
) -> None:
    pages = [uuid4().hex for _ in range(1_000)]
    raw = orjson.dumps({"object": "page", "fat": "x" * 300_000, "entry": [page_entry(page, ("c", "Giá?")) for page in pages]})
    assert (await send(client, raw)).status_code == 200
    kept = await unrouted_of(database, *pages)
    assert kept.keys() == set(pages)
    assert sum(map(len, kept.values())) < len(raw)


async def test_an_unsigned_unknown_page_beside_a_known_one_leaves_nothing(
    database: DatabaseAddresses, tenants: list[tuple[UUID, str]]
) -> None:
    (tenant_id, page), stranger = tenants[0], uuid4().hex
    raw = delivery(page_entry(stranger, ("x1", "GAMMA Cho tôi báo giá")), page_entry(page, ("a1", "ALPHA Cho tôi báo giá")))
    async with open_door(database.app) as client:
        counted = await metric(client, "lead_signals_unknown_pages_total", fate="not_kept")
        with captured_logs() as logs:
            assert (await client.post(WEBHOOK, content=raw)).json()["created"] == 1
        assert await metric(client, "lead_signals_unknown_pages_total", fate="not_kept") == counted + 1
    assert [event["pages"] for event in logs.events("unsigned_pages_not_kept")] == [1]
    assert await unrouted_of(database, stranger) == {}
    await assert_only(database, tenant_id, holds=b"ALPHA", never=b"GAMMA")


async def unrouted_of(database: DatabaseAddresses, *pages: str) -> dict[str, bytes]:
    rows = await fetch(
        database.owner, "SELECT channel_external_id, body FROM unrouted_deliveries WHERE channel_external_id = ANY($1)", list(pages)
    )
    assert len(rows) == len({row["channel_external_id"] for row in rows})
    return {row["channel_external_id"]: row["body"] for row in rows}


async def test_entries_that_forgot_their_page_are_split_by_whom_they_were_written_to(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenants: list[tuple[UUID, str]]
) -> None:
    (first, first_page), (second, second_page) = tenants
    raw = delivery(
        {"messaging": [message_to(first_page, "a1", "ALPHA Còn hàng không?"), message_to(second_page, "b1", "BETA Còn hàng không?")]},
        {
            "standby": [message_to(second_page, "b2", "BETA Có ship không?")],
            "messaging": [message_to(first_page, "a2", "ALPHA Có ship không?")],
        },
        page_entry(first_page, ("a3", "ALPHA Cho tôi báo giá")),
    )
    assert (await send(client, raw)).json()["created"] == 5
    assert (await messages_of(client, first), await messages_of(client, second)) == ({"a1", "a2", "a3"}, {"b1", "b2"})
    await assert_only(database, first, holds=b"ALPHA", never=b"BETA")
    await assert_only(database, second, holds=b"BETA", never=b"ALPHA")
    (of_first,), (of_second,) = await receipts_of(database, first), await receipts_of(database, second)
    assert (of_first["body"].count(b"ALPHA"), of_second["body"].count(b"BETA")) == (3, 2)


async def test_what_names_no_page_goes_with_the_only_tenant_and_with_several_to_nobody(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenants: list[tuple[UUID, str]]
) -> None:
    (first, first_page), (_, second_page) = tenants
    nameless = {"changes": [comment_change("n1", "NOBODY Cho tôi báo giá")]}
    assert (await send(client, delivery(nameless, page_entry(first_page, ("a1", "ALPHA")), "a strange entry"))).json()["created"] == 2
    assert await messages_of(client, first) == {"a1", "n1"}

    unnamed = {"changes": [comment_change("n2", "OMEGA Cho tôi báo giá")]}
    unreadable = {"id": {"$": "OMEGA"}, "changes": [comment_change("n3", "OMEGA")]}
    raw = delivery(page_entry(first_page, ("a2", "ALPHA")), page_entry(second_page, ("b1", "BETA")), unnamed, unreadable, "OMEGA")
    assert (await send(client, raw)).json()["created"] == 2
    (kept,) = await fetch(
        database.owner,
        "SELECT body FROM unrouted_deliveries WHERE channel_external_id = '' AND position('OMEGA' in encode(body, 'escape')) > 0",
    )
    assert orjson.loads(kept["body"])["entry"] == [unnamed, unreadable, "OMEGA"]
    for tenant_id, _ in tenants:
        await assert_only(database, tenant_id, holds=b"A", never=b"OMEGA")


async def test_of_two_tenants_with_one_page_the_first_to_connect_has_it(
    client: httpx.AsyncClient, engine: AsyncEngine, tenants: list[tuple[UUID, str]]
) -> None:
    (first, page), (second, _) = tenants
    async with tenant_session(engine, second) as session:
        await connect_channel(session, second, platform="facebook", external_id=page, name="Trang lạ")
    async with tenant_session(engine, first) as session:
        await connect_channel(session, first, platform="facebook", external_id=page, name="Trang của tôi")
    assert (await send(client, delivery(page_entry(page, ("a1", "Cho tôi báo giá"))))).json()["created"] == 1
    assert (await messages_of(client, first), await messages_of(client, second)) == ({"a1"}, set())


async def test_an_unknown_tenant_among_the_known_stores_nothing_at_all(client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    before = await rows_by_table(database.owner)
    answer = await send(client, delivery(page_entry("1", ("a1", "x"))), **{"X-Tenant-ID": str(uuid4())})
    assert answer.status_code == 404
    assert await rows_by_table(database.owner) == before


async def assert_only(database: DatabaseAddresses, tenant_id: UUID, *, holds: bytes, never: bytes) -> None:
    """All rows of a tenant, in every table, as bytes: one word stands in them, the other nowhere."""
    tables = await fetch(
        database.owner, "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'"
    )
    assert len(tables) > 8
    everything = b""
    for table in tables:
        for row in await fetch(database.owner, f"SELECT * FROM {table['table_name']} WHERE tenant_id = $1", tenant_id):
            everything += b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    assert holds in everything
    assert never not in everything
