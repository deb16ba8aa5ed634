"""While an app secret is set, only what it signed is taken; all else is 401, stores nothing and is counted."""

import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import comment
from tests.intake.open_door import WEBHOOK, assert_refused, fetch, metric, open_door, rows_by_table
from tests.intake.page_deliveries import SECRET, delivery, page_entry, signature, signed

RAW = delivery(page_entry("710020003000", ("710_9", "Cho tôi báo giá gói Enterprise")))
RIGHT = signature(RAW).encode()
Headers = list[tuple[bytes, bytes]]


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app, FACEBOOK_APP_SECRET=SECRET) as client:
        yield client


def sha256_header(value: bytes) -> Headers:
    return [(b"X-Hub-Signature-256", value)]


REFUSED: dict[str, tuple[Headers, str]] = {
    "missing": ([], "missing"),
    "empty": (sha256_header(b""), "missing"),
    "only the old SHA-1": ([(b"X-Hub-Signature", b"sha1=" + hmac.new(SECRET.encode(), RAW, "sha1").hexdigest().encode())], "missing"),
    "SHA-1 in the new header": (sha256_header(b"sha1=" + hmac.new(SECRET.encode(), RAW, "sha1").hexdigest().encode()), "malformed"),
    "another secret": (sha256_header(signature(RAW, "bi-mat-cua-ung-dung-khac").encode()), "mismatch"),
    "an empty secret": (sha256_header(signature(RAW, "").encode()), "mismatch"),
    "over another body": (sha256_header(signature(RAW + b" ").encode()), "mismatch"),
    "one digit off": (sha256_header(RIGHT[:-1] + (b"0" if RIGHT[-1:] != b"0" else b"1")), "mismatch"),
    "truncated": (sha256_header(RIGHT[:-1]), "malformed"),
    "one digit too many": (sha256_header(RIGHT + b"0"), "malformed"),
    "wrong length": (sha256_header(b"sha256=" + b"0" * 128), "malformed"),
    "no prefix": (sha256_header(RIGHT.removeprefix(b"sha256=")), "malformed"),
    "upper case": (sha256_header(RIGHT.upper()), "malformed"),
    "not hexadecimal": (sha256_header(b"sha256=" + b"g" * 64), "malformed"),
    "not ASCII": (sha256_header(b"sha256=" + b"\xff" * 64), "malformed"),
    "full-width digits": (sha256_header(b"sha256=" + "０".encode() * 64), "malformed"),
    "repeated, both right": (sha256_header(RIGHT) * 2, "malformed"),
    "repeated, one right": ([*sha256_header(b"sha256=" + b"0" * 64), *sha256_header(RIGHT)], "malformed"),
    "two in one header": (sha256_header(RIGHT + b"," + RIGHT), "malformed"),
    "5,000 characters": (sha256_header(b"sha256=" + b"0" * 5_000), "malformed"),
}


@pytest.mark.parametrize("row", REFUSED)
async def test_bad_or_missing_signature_while_a_secret_is_set(
    row: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    headers, verdict = REFUSED[row]
    before = await rows_by_table(database.owner)
    counted = await metric(client, "lead_signals_deliveries_total", answer=f"signature_{verdict}")

    answer = await client.post(WEBHOOK, content=RAW, headers=[*headers, (b"X-Tenant-ID", str(tenant_id).encode())])

    assert_refused(answer, 401, "X-Hub-Signature-256")
    assert "www-authenticate" not in answer.headers
    assert await rows_by_table(database.owner) == before
    assert await metric(client, "lead_signals_deliveries_total", answer=f"signature_{verdict}", platform="facebook") == counted + 1


async def test_the_signature_is_judged_before_anything_is_read(client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    before = await rows_by_table(database.owner)
    for body in (b"", b"no JSON", b"\xff", b"[" * 100_000, b"{}"):
        assert_refused(await client.post(WEBHOOK, content=body), 401, "missing")
    assert await rows_by_table(database.owner) == before


@pytest.mark.parametrize("headers", [[], sha256_header(b"")], ids=["missing", "empty"])
async def test_without_a_signature_the_body_is_not_even_taken_in(headers: Headers, client: httpx.AsyncClient) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield RAW

    assert_refused(await client.post(WEBHOOK, content=body(), headers=headers), 401, "X-Hub-Signature-256")
    assert taken == 0


async def test_a_right_signature_passes_over_raw_and_over_escaped_text(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    said = comment(uuid4().hex, "Báo giá giúp em: đèn led / 10 bộ 😀")
    escaped = json.dumps(comment(uuid4().hex, "Báo giá giúp em: đèn led / 10 bộ 😀")).replace("/", "\\/").encode()
    assert b"\\u0111" in escaped
    for raw in (json.dumps(said, ensure_ascii=False).encode(), escaped, json.dumps(said, indent=4).encode()):
        answer = await client.post(WEBHOOK, content=raw, headers={**signed(raw), "X-Tenant-ID": str(tenant_id)})
        assert answer.status_code == 200, answer.text
    leads = (await client.get("/api/leads", params={"tenant_id": str(tenant_id)})).json()["leads"]
    assert [lead["content_text"] for lead in leads] == ["Báo giá giúp em: đèn led / 10 bộ 😀"] * 2


async def test_two_live_secrets(database: DatabaseAddresses, tenant_id: UUID) -> None:
    async with open_door(database.app, FACEBOOK_APP_SECRET=" bi-mat-cu , bi-mat-moi ") as client:
        for secret, status in (("bi-mat-cu", 200), ("bi-mat-moi", 200), ("bi-mat-cu , bi-mat-moi", 401), ("", 401)):
            raw = json.dumps(comment(uuid4().hex)).encode()
            answer = await client.post(WEBHOOK, content=raw, headers={**signed(raw, secret), "X-Tenant-ID": str(tenant_id)})
            assert answer.status_code == status


async def test_without_a_secret_a_signature_is_neither_asked_for_nor_believed(
    database: DatabaseAddresses, engine: AsyncEngine, tenant_id: UUID
) -> None:
    raw = delivery(page_entry(uuid4().hex, ("c1", "Cho tôi báo giá")))
    async with open_door(database.app) as client:
        assert_refused(await client.post(WEBHOOK, content=raw, headers=signed(raw, "")), 400, "not connected")
        async with tenant_session(engine, tenant_id) as session:
            await connect_channel(session, tenant_id, platform="facebook", external_id="900800700")
        raw = delivery(page_entry("900800700", ("c1", "Cho tôi báo giá")))
        assert (await client.post(WEBHOOK, content=raw, headers=signed(raw))).json()["created"] == 1
    (receipt,) = await fetch(database.owner, "SELECT signed FROM receipts WHERE tenant_id = $1", tenant_id)
    assert receipt["signed"] is False


async def test_a_signed_delivery_for_an_unknown_page_is_kept_and_shown(client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    page = f"71{uuid4().int % 10**13}"
    raw = delivery(page_entry(page, ("c1", "Cho tôi báo giá")))
    before, shown = await rows_by_table(database.owner), await metric(client, "lead_signals_unknown_channels")

    answer = await client.post(WEBHOOK, content=raw, headers=signed(raw))

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "created": 0, "lead_ids": []})
    (kept,) = await fetch(database.owner, "SELECT platform, body FROM unrouted_deliveries WHERE channel_external_id = $1", page)
    assert (kept["platform"], kept["body"]) == ("facebook", raw)
    after = await rows_by_table(database.owner)
    assert after == before | {"unrouted_deliveries": before["unrouted_deliveries"] + 1}
    assert await metric(client, "lead_signals_unknown_channels") == min(shown + 1, 1_000)


async def test_an_unsigned_delivery_for_an_unknown_page_is_refused(database: DatabaseAddresses) -> None:
    before = await rows_by_table(database.owner)
    async with open_door(database.app) as client:
        raw = delivery(page_entry("719999999999", ("c1", "Cho tôi báo giá")))
        assert_refused(await client.post(WEBHOOK, content=raw), 400, "No tenant", "entry[].id")
    assert await rows_by_table(database.owner) == before


async def test_the_secret_may_come_from_a_file(database: DatabaseAddresses, tenant_id: UUID, tmp_path: Path) -> None:
    (tmp_path / "app_secret").write_text(f"{SECRET}\n", encoding="utf-8")
    async with open_door(database.app, FACEBOOK_APP_SECRET_FILE=str(tmp_path / "app_secret")) as client:
        raw = json.dumps(comment("c1")).encode()
        assert (await client.post(WEBHOOK, content=raw, headers={"X-Tenant-ID": str(tenant_id)})).status_code == 401
        assert (await client.post(WEBHOOK, content=raw, headers={**signed(raw), "X-Tenant-ID": str(tenant_id)})).status_code == 200
