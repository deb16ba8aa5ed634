"""What bad input gets: one test for each row of the product's table, named after it. Nothing of it is stored."""

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from lead_signals import request_body
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import prepare, webhook_routes
from lead_signals.intake.webhook_routes import ITEMS_LIMIT
from lead_signals.intent.verdict import Verdict
from lead_signals.json_body import JsonObject
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.request_body import BODY_LIMIT_BYTES, LARGE_BODY_BYTES
from tests.deliveries import comment
from tests.intake.open_door import WEBHOOK, assert_refused, fetch, metric, open_door, rows_by_table
from tests.waiting import wait_until_async

MARKER = "dau-vet-7f3a"
CHUNK = b" " * 65_536


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app) as client:
        yield client


def deep(levels: int, tenant_id: UUID) -> bytes:
    """A good delivery that is `levels` deep."""
    body = orjson.dumps({**comment(uuid4().hex), "tenant_id": str(tenant_id)})
    return body[:-1] + b',"deep":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def padded(size: int, tenant_id: UUID) -> bytes:
    """A good delivery of exactly `size` bytes."""
    body = orjson.dumps({**comment(uuid4().hex), "tenant_id": str(tenant_id), "pad": ""})
    return body[:-2] + b"x" * (size - len(body)) + body[-2:]


ROWS: dict[str, tuple[Callable[[UUID], bytes], dict[str, str], int, str, str]] = {
    # name: body, headers, status, words of the sentence, reason counted
    "no JSON: empty": (lambda _: b"", {}, 400, "not JSON", "not_json"),
    "no JSON: a form": (lambda _: f"message={MARKER}".encode(), {}, 400, "not JSON", "not_json"),
    "no JSON: cut off": (lambda _: json.dumps(comment(MARKER))[:-1].encode(), {}, 400, "not JSON", "not_json"),
    "no JSON: NaN": (lambda _: b'{"object":"page","entry":[{"message":NaN,"comment_id":"dau-vet-7f3a"}]}', {}, 400, "not JSON", "not_json"),
    "no JSON: a list": (lambda _: f'["{MARKER}"]'.encode(), {}, 400, "not an object", "not_an_object"),
    "not UTF-8: Latin-1": (lambda _: f'{{"a":"{MARKER} é"}}'.encode("latin-1"), {}, 400, "UTF-8", "not_utf8"),
    "not UTF-8: UTF-16": (lambda _: json.dumps(comment(MARKER)).encode("utf-16"), {}, 400, "UTF-8", "not_utf8"),
    "over 1 MiB": (lambda t: padded(BODY_LIMIT_BYTES + 1, t), {}, 413, "1024 KiB", "too_large"),
    "over 1 MiB, only announced": (lambda _: b"{}", {"content-length": "1048577"}, 413, "1024 KiB", "too_large"),
    "over 1 MiB, absurdly announced": (lambda _: b"{}", {"content-length": "9" * 400}, 413, "1024 KiB", "too_large"),
    "nested deeper than 32: 33": (lambda t: deep(33, t), {}, 400, "deeper than 32", "too_deep"),
    "nested deeper than 32: 1,023": (lambda t: deep(1_023, t), {}, 400, "deeper than 32", "too_deep"),
    "nested deeper than 32: 1,025": (lambda t: deep(1_025, t), {}, 400, "", "not_json"),
    "nested deeper than 32: 100,000": (lambda t: deep(100_000, t), {}, 400, "", "not_json"),
    "compressed: gzip": (lambda _: gzip.compress(b"{}"), {"content-encoding": "gzip"}, 415, "Content-Encoding", "compressed"),
    "compressed: deflate": (lambda _: zlib.compress(b"{}"), {"content-encoding": "deflate"}, 415, "Content-Encoding", "compressed"),
    "compressed: br": (lambda _: b"\x0b\x01\x80{}\x03", {"content-encoding": "br"}, 415, "Content-Encoding", "compressed"),
    "compressed: twice": (lambda _: gzip.compress(b"{}"), {"content-encoding": "identity, gzip"}, 415, "Content-Encoding", "compressed"),
    "compressed, and not said": (lambda _: gzip.compress(b"{}"), {}, 400, "UTF-8", "not_utf8"),
    "more than 1,000 items": (
        lambda t: orjson.dumps({"tenant_id": str(t), "object": "page", "entry": [{}] * (ITEMS_LIMIT + 1)}),
        {},
        413,
        "1000 items",
        "too_many_items",
    ),
}


@pytest.mark.parametrize("row", ROWS)
async def test_a_body_we_cannot_take(row: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID) -> None:
    make_body, headers, status, words, reason = ROWS[row]
    before, counted = await rows_by_table(database.owner), await metric(client, "lead_signals_deliveries_total", answer=reason)

    answer = await client.post(WEBHOOK, content=make_body(tenant_id), headers={"X-Tenant-ID": str(tenant_id), **headers})

    assert_refused(answer, status, words)
    assert MARKER not in answer.text
    assert await rows_by_table(database.owner) == before
    assert await metric(client, "lead_signals_deliveries_total", answer=reason, platform="facebook") == counted + 1


@pytest.mark.parametrize("announced", [None, "10"], ids=["no length", "a length that lies"])
async def test_an_endless_body_is_cut_off_while_it_is_read(
    announced: str | None, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    before, taken = await rows_by_table(database.owner), 0

    async def fifty_mebibytes() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(50 * 16):
            taken += 1
            yield CHUNK

    headers = {"X-Tenant-ID": str(tenant_id)} | ({} if announced is None else {"content-length": announced})
    answer = await client.post(WEBHOOK, content=fifty_mebibytes(), headers=headers)

    assert_refused(answer, 413, "1024 KiB")
    assert taken <= BODY_LIMIT_BYTES // len(CHUNK) + 2, "it went on reading what it had refused"
    assert await rows_by_table(database.owner) == before


@pytest.mark.parametrize("trickles", [False, True], ids=["stalls", "trickles"])
async def test_a_body_that_never_ends_is_given_up_and_the_connection_closed(
    trickles: bool, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "BODY_DEADLINE_SECONDS", 0.2)
    before, counted = await rows_by_table(database.owner), await metric(client, "lead_signals_deliveries_total", answer="too_slow")

    async def endless() -> AsyncIterator[bytes]:
        yield orjson.dumps(comment(MARKER))[:-1]
        while trickles:  # a deadline for each piece would never strike
            await asyncio.sleep(0)
            yield b" "
        await asyncio.Event().wait()

    async with asyncio.timeout(20):
        answer = await client.post(WEBHOOK, content=endless(), headers={"X-Tenant-ID": str(tenant_id)})

    assert_refused(answer, 408, "within 0.2 seconds")
    assert answer.headers["connection"] == "close"
    assert await rows_by_table(database.owner) == before
    assert await metric(client, "lead_signals_deliveries_total", answer="too_slow") == counted + 1


TOO_MANY = {
    "changes that are numbers": b'{"entry":[{"id":"1","changes":[%s]}]}' % b",".join([b"1"] * 500_000),
    "entries that are numbers": b'{"entry":[%s]}' % b",".join([b"1"] * 500_000),
    "messages in two lists": orjson.dumps({"entry": [{"messaging": [{}] * 500, "standby": [{}] * 500}, {}]}),
    "mock entries": orjson.dumps({"entry": [{"message": "Giá?"}] * (ITEMS_LIMIT + 1)}),
}


@pytest.mark.parametrize("row", TOO_MANY)
async def test_too_many_items_are_refused_before_one_is_read(
    row: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(body: JsonObject, now: datetime) -> Reading:
        raise AssertionError("it was read")

    monkeypatch.setattr(webhook_routes, "ADAPTERS", {"facebook": replace(ADAPTERS["facebook"], read_signals=read)})
    before = await rows_by_table(database.owner)
    answer = await client.post(WEBHOOK, content=TOO_MANY[row], headers={"X-Tenant-ID": str(tenant_id)})
    assert_refused(answer, 413, "1000 items")
    assert await rows_by_table(database.owner) == before


@pytest.mark.parametrize("size", [LARGE_BODY_BYTES + 1, 800_000])
async def test_a_large_body_does_not_stop_the_others(
    size: int, client: httpx.AsyncClient, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, others_were_answered, understand = threading.Event(), threading.Event(), prepare.classify

    def classify(text: str) -> Verdict:
        started.set()
        assert others_were_answered.wait(10), "the event loop stood still while a large body was classified"
        return understand(text)

    async def classification_started() -> bool:
        return started.is_set()

    monkeypatch.setattr(prepare, "classify", classify)
    async with asyncio.TaskGroup() as tasks:
        large = tasks.create_task(client.post(WEBHOOK, content=padded(size, tenant_id)))
        await wait_until_async(classification_started, "the large body is being classified", 20)
        assert (await client.get("/health")).status_code == 200
        others_were_answered.set()
    assert (large.result().status_code, large.result().json()["created"]) == (200, 1)


@pytest.mark.parametrize("size", [BODY_LIMIT_BYTES - 1, BODY_LIMIT_BYTES])
async def test_a_body_of_1_mib_is_taken(size: int, client: httpx.AsyncClient, tenant_id: UUID) -> None:
    body = padded(size, tenant_id)
    assert len(body) == size
    answer = await client.post(WEBHOOK, content=body)
    assert (answer.status_code, answer.json()["created"]) == (200, 1)


@pytest.mark.parametrize("levels", [31, 32])
async def test_32_levels_are_taken(levels: int, client: httpx.AsyncClient, tenant_id: UUID) -> None:
    answer = await client.post(WEBHOOK, content=deep(levels, tenant_id))
    assert (answer.status_code, answer.json()["created"]) == (200, 1)


async def test_exactly_1000_items_are_taken(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    entries = [comment(f"c{number}")["entry"][0] for number in range(ITEMS_LIMIT)]
    answer = await client.post(WEBHOOK, json={"object": "page", "entry": entries, "tenant_id": str(tenant_id)})
    assert (answer.status_code, answer.json()["created"]) == (200, ITEMS_LIMIT)


async def test_an_uncompressed_body_may_say_so(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    headers = {"X-Tenant-ID": str(tenant_id), "content-encoding": "Identity"}
    assert (await client.post(WEBHOOK, json=comment("c1"), headers=headers)).json()["created"] == 1


async def test_no_tenant(client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    before, counted = await rows_by_table(database.owner), await metric(client, "lead_signals_deliveries_total", answer="no_tenant")
    for body in (comment(MARKER), {**comment(MARKER), "tenant_id": None}):
        answer = await client.post(WEBHOOK, json=body)
        assert_refused(answer, 400, "No tenant", "X-Tenant-ID", "tenant_id")
    assert await rows_by_table(database.owner) == before
    assert await metric(client, "lead_signals_deliveries_total", answer="no_tenant") == counted + 2


A_TENANT = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
MALFORMED = {
    "empty": "",
    "a word": "abc",
    "null": "null",
    "without dashes": A_TENANT.replace("-", ""),
    "in braces": f"{{{A_TENANT}}}",
    "in braces, 36 long": "{" + A_TENANT.replace("-", "") + "--}",
    "as a URN": f"urn:uuid:{A_TENANT}",
    "as a URN, 36 long": "urn:" + A_TENANT.replace("-", ""),
    "dashes elsewhere": "0190a1b2c3d4-7e5f-8a9b-0c1d-2e3f4a5b",
    "one digit off": A_TENANT[:-1] + "g",
    "underscores": A_TENANT.replace("a1", "a_"),
    "one too long": A_TENANT + "0",
    "two of them": f"{A_TENANT},{A_TENANT}",
    "SQL": "' OR '1'='1' -- 0190a1b2-c3d4-7e5f-8a",
    "5,000 characters": "a" * 5_000,
}


@pytest.mark.parametrize("shape", MALFORMED)
async def test_malformed_tenant_id_in_the_header(
    shape: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    before = await rows_by_table(database.owner)
    body = {**comment("c1"), "tenant_id": str(tenant_id)}
    answer = await client.post(WEBHOOK, json=body, headers={"X-Tenant-ID": MALFORMED[shape]})
    assert_refused(answer, 400, "The header X-Tenant-ID is not a tenant id")
    assert await rows_by_table(database.owner) == before


async def test_bytes_beyond_ascii_in_the_tenant_header(client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    before = await rows_by_table(database.owner)
    for value in (A_TENANT.replace("0", "０").encode(), b"\xff\xfe" * 18, "đ".encode("latin-1", "replace") * 36):
        answer = await client.post(WEBHOOK, json=comment("c1"), headers=[(b"x-tenant-id", value)])
        assert_refused(answer, 400, "The header X-Tenant-ID is not a tenant id")
    assert await rows_by_table(database.owner) == before


@pytest.mark.parametrize("value", [*MALFORMED.values(), 1, 0, 1.5, True, False, [], {}, [A_TENANT], {"id": A_TENANT}, "\x00", "đ" * 36])
async def test_malformed_tenant_id_in_the_body(value: Any, client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    before = await rows_by_table(database.owner)
    answer = await client.post(WEBHOOK, json={**comment("c1"), "tenant_id": value})
    assert_refused(answer, 400, "tenant_id in the body is not a tenant id")
    assert await rows_by_table(database.owner) == before


async def test_two_tenants_in_the_header(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID) -> None:
    before = await rows_by_table(database.owner)
    headers = [("X-Tenant-ID", str(tenant_id)), ("X-Tenant-ID", A_TENANT)]
    assert_refused(await client.post(WEBHOOK, json=comment("c1"), headers=headers), 400, "more than once")
    assert await rows_by_table(database.owner) == before


@pytest.mark.parametrize("place", ["header", "body"])
async def test_unknown_tenant(place: str, client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    before, stranger = await rows_by_table(database.owner), str(uuid4())
    body, headers = (comment("c1"), {"X-Tenant-ID": stranger}) if place == "header" else ({**comment("c1"), "tenant_id": stranger}, {})
    answer = await client.post(WEBHOOK, json=body, headers=headers)
    assert_refused(answer, 404, stranger, "POST /onboarding")
    assert await rows_by_table(database.owner) == before


async def test_a_strange_item_inside_a_good_batch(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID) -> None:
    good = [comment(f"good-{number}")["entry"][0] for number in range(4)]
    strange = {
        "id_too_long": {**good[0], "comment_id": "9" * 5_000},
        "message_not_text": {**good[0], "comment_id": "s2", "message": {"text": "Cho tôi báo giá"}},
        "entry_not_object": "an entry that is a text",
        "comment_empty": {"message": "  "},
        "id_has_nul": {**good[0], "comment_id": "s\x003"},
        "id_not_text_or_integer": {**good[0], "comment_id": 2**64},
    }
    entries = [good[0], *list(strange.values())[:3], *good[1:3], *list(strange.values())[3:], good[3]]

    answer = await client.post(WEBHOOK, json={"object": "page", "entry": entries}, headers={"X-Tenant-ID": str(tenant_id)})

    assert (answer.status_code, answer.json()["created"]) == (200, 4)
    leads = (await client.get("/api/leads", params={"tenant_id": str(tenant_id)})).json()["leads"]
    assert {lead["external_message_id"] for lead in leads} == {f"good-{number}" for number in range(4)}
    kept = await quarantine_of(database, tenant_id)
    assert kept.keys() == strange.keys()
    assert kept["message_not_text"] == strange["message_not_text"]
    assert kept["id_has_nul"] == strange["id_has_nul"]
    assert kept["entry_not_object"] == strange["entry_not_object"]


async def quarantine_of(database: DatabaseAddresses, tenant_id: UUID) -> dict[str, Any]:
    rows = await fetch(database.owner, "SELECT reason, item FROM quarantined_items WHERE tenant_id = $1", tenant_id)
    return {row["reason"]: orjson.loads(row["item"]) for row in rows}


BAD_QUERIES = {
    "tenant_id missing": ("tenant_id", {"tenant_id": None}),
    "tenant_id malformed": ("tenant_id", {"tenant_id": f"{MARKER}\u202e"}),
    "tenant_id hostile": ("tenant_id", {"tenant_id": f"<b>{MARKER}</b>"}),
    "tenant_id with NUL": ("tenant_id", {"tenant_id": "\x00"}),
    "status unknown": ("status", {"status": MARKER}),
    "status empty": ("status", {"status": ""}),
    "limit zero": ("limit", {"limit": "0"}),
    "limit too high": ("limit", {"limit": "201"}),
    "limit a word": ("limit", {"limit": MARKER}),
    "limit NaN": ("limit", {"limit": "NaN"}),
    "limit of 5,000 digits": ("limit", {"limit": "9" * 5_000}),
    "offset negative": ("offset", {"offset": "-1"}),
    "offset beyond bigint": ("offset", {"offset": str(2**64)}),
    "offset a fraction": ("offset", {"offset": "1.5"}),
}


@pytest.mark.parametrize("row", BAD_QUERIES)
async def test_bad_query_parameters(row: str, client: httpx.AsyncClient, tenant_id: UUID) -> None:
    parameter, changed = BAD_QUERIES[row]
    query = {"tenant_id": str(tenant_id), **changed}
    answer = await client.get("/api/leads", params={name: value for name, value in query.items() if value is not None})
    assert answer.status_code == 422
    told = answer.json()
    assert told["ok"] is False
    assert [problem["parameter"] for problem in told["problems"]] == [parameter]
    assert told["error"].startswith(f"{parameter}: ")
    for echo in (MARKER, "\\u202e", "\u202e", "<", "99999"):
        assert echo not in answer.text


async def test_all_bad_parameters_are_named_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/leads", params={"tenant_id": "x", "status": "x", "limit": "x", "offset": "x"})
    assert {problem["parameter"] for problem in answer.json()["problems"]} == {"tenant_id", "status", "limit", "offset"}
