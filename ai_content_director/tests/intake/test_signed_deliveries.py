"""While a platform's secret is set, only what it signed is taken; all else is 401, stores nothing and is counted."""

import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.platforms.catalogue import ADAPTERS
from tests.deliveries import said_on
from tests.intake.open_door import assert_refused, fetch, metric, open_door, rows_by_table
from tests.signatures import ENVIRONMENT, PLATFORMS, SECRETS, Headers, signature_of, signed_as

META = ("facebook", "instagram", "whatsapp")
RAW = {platform: json.dumps(said_on(platform, "710020003000", "m_9", "Cho tôi báo giá gói Enterprise")).encode() for platform in PLATFORMS}
each_platform = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app, **ENVIRONMENT) as client:
        yield client


def hmac_of(platform: str, digest: str = "sha256") -> bytes:
    return hmac.new(SECRETS[platform].encode(), RAW[platform], digest).hexdigest().encode()


# Made of the right header's name and value; all right signatures end in 64 digits.
ALMOST: dict[str, tuple[Callable[[bytes, bytes], Headers], str]] = {
    "missing": (lambda name, value: [], "missing"),
    "empty": (lambda name, value: [(name, b"")], "missing"),
    "in a header of another name": (lambda name, value: [(b"x-signature", value)], "missing"),
    "one digit off": (lambda name, value: [(name, value[:-1] + (b"0" if value[-1:] != b"0" else b"1"))], "mismatch"),
    "truncated": (lambda name, value: [(name, value[:-1])], "malformed"),
    "without its digits": (lambda name, value: [(name, value[:-64] or b"-")], "malformed"),
    "one digit too many": (lambda name, value: [(name, value + b"0")], "malformed"),
    "twice as long": (lambda name, value: [(name, value + value[-64:])], "malformed"),
    "in capitals": (lambda name, value: [(name, value[:-64] + b"ABCDEF0123456789" * 4)], "malformed"),
    "not hexadecimal": (lambda name, value: [(name, value[:-64] + b"g" * 64)], "malformed"),
    "not ASCII": (lambda name, value: [(name, value[:-64] + b"\xff" * 64)], "malformed"),
    "full-width digits": (lambda name, value: [(name, value[:-64] + "０".encode() * 64)], "malformed"),
    "repeated, both right": (lambda name, value: [(name, value)] * 2, "malformed"),
    "repeated, one right": (lambda name, value: [(name, value[:-64] + b"0" * 64), (name, value)], "malformed"),
    "two in one header": (lambda name, value: [(name, value + b"," + value)], "malformed"),
    "5,000 characters": (lambda name, value: [(name, value + b"0" * 5_000)], "malformed"),
}
NOT_OVER_THIS: dict[str, Callable[[str, bytes], Headers]] = {
    "another secret": lambda platform, raw: signed_as(platform, raw, "bi-mat-cua-ung-dung-khac"),
    "an empty secret": lambda platform, raw: signed_as(platform, raw, ""),
    "over another body": lambda platform, raw: signed_as(platform, raw.replace(b"710020003000", b"710020003001")),
    "over the same words, spaced otherwise": lambda platform, raw: signed_as(platform, json.dumps(json.loads(raw), indent=1).encode()),
}
OF_ONE_PLATFORM: dict[str, tuple[str, Callable[[], Headers], str]] = {
    **{f"{it}: only the old SHA-1": (it, lambda it=it: [(b"X-Hub-Signature", b"sha1=" + hmac_of(it, "sha1"))], "missing") for it in META},
    **{f"{it}: SHA-1 in the new header": (it, lambda it=it: of(it, b"sha1=" + hmac_of(it, "sha1")), "malformed") for it in META},
    **{f"{it}: without its prefix": (it, lambda it=it: of(it, hmac_of(it)), "malformed") for it in META},
    **{f"{it}: of the Page's app": (it, lambda it=it: signed_as("facebook", RAW[it]), "mismatch") for it in ("instagram", "whatsapp")},
    **{f"{it}: as Meta signs": (it, lambda it=it: signed_as("facebook", RAW[it]), "missing") for it in ("zalo", "tiktok")},
    "facebook: as Zalo signs": ("facebook", lambda: signed_as("zalo", RAW["zalo"]), "missing"),
    "zalo: HMAC instead of a plain digest": ("zalo", lambda: of("zalo", b"mac=" + hmac_of("zalo")), "mismatch"),
    "zalo: another prefix": ("zalo", lambda: of("zalo", b"sha256=" + signature_of(signed_as("zalo", RAW["zalo"]))[1][-64:]), "malformed"),
    "tiktok: without a time": ("tiktok", lambda: of("tiktok", b"s=" + hmac_of("tiktok")), "malformed"),
    "tiktok: the time behind": ("tiktok", lambda: of("tiktok", b",".join(reversed(tiktok().split(b",")))), "malformed"),
    "tiktok: made young again": ("tiktok", lambda: of("tiktok", tiktok()[:12] + tiktok(-600)[12:]), "mismatch"),
    "tiktok: older than its last try": ("tiktok", lambda: of("tiktok", tiktok(-74 * 3600)), "stale"),
    "tiktok: ten minutes ahead": ("tiktok", lambda: of("tiktok", tiktok(+600)), "stale"),
}


def of(platform: str, value: bytes) -> Headers:
    return [(ADAPTERS[platform].signature_header.encode(), value)]


def tiktok(seconds_from_now: int = 0) -> bytes:
    sent_at = datetime.now(UTC) + timedelta(seconds=seconds_from_now)
    return signature_of(signed_as("tiktok", RAW["tiktok"], sent_at=sent_at))[1]


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody without the secret, who knows a tenant's id."""

    client: httpx.AsyncClient
    database: DatabaseAddresses
    tenant_id: UUID

    async def is_refused(self, platform: str, headers: Headers, verdict: str) -> None:
        """401, nothing stored, and counted by its reason."""
        before = await rows_by_table(self.database.owner)
        labels = {"platform": platform, "answer": f"signature_{verdict}"}
        counted = await metric(self.client, "lead_signals_deliveries_total", **labels)

        answer = await post(self.client, platform, RAW[platform], headers, self.tenant_id)

        assert_refused(answer, 401, ADAPTERS[platform].signature_header)
        assert "www-authenticate" not in answer.headers
        assert await rows_by_table(self.database.owner) == before
        assert await metric(self.client, "lead_signals_deliveries_total", **labels) == counted + 1


@pytest.fixture
def stranger(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID) -> Stranger:
    return Stranger(client, database, tenant_id)


@each_platform
@pytest.mark.parametrize("row", ALMOST)
async def test_almost_a_signature_is_refused(platform: str, row: str, stranger: Stranger) -> None:
    almost, verdict = ALMOST[row]
    await stranger.is_refused(platform, almost(*signature_of(signed_as(platform, RAW[platform]))), verdict)


@each_platform
@pytest.mark.parametrize("row", NOT_OVER_THIS)
async def test_a_signature_of_somebody_else_or_over_something_else_is_refused(platform: str, row: str, stranger: Stranger) -> None:
    await stranger.is_refused(platform, NOT_OVER_THIS[row](platform, RAW[platform]), "mismatch")


@pytest.mark.parametrize("row", OF_ONE_PLATFORM)
async def test_what_only_looks_like_the_way_of_a_platform_is_refused(row: str, stranger: Stranger) -> None:
    platform, made, verdict = OF_ONE_PLATFORM[row]
    await stranger.is_refused(platform, made(), verdict)


async def post(client: httpx.AsyncClient, platform: str, raw: bytes, headers: Headers, tenant_id: UUID | None = None) -> httpx.Response:
    tenant = [] if tenant_id is None else [(b"x-tenant-id", str(tenant_id).encode())]
    return await client.post(f"/webhooks/{platform}", content=raw, headers=[*headers, *tenant])


@each_platform
async def test_the_signature_is_judged_before_anything_is_read(
    platform: str, client: httpx.AsyncClient, database: DatabaseAddresses
) -> None:
    before = await rows_by_table(database.owner)
    wrong = [(name, value[:-64] + b"0" * 64) for name, value in [signature_of(signed_as(platform, RAW[platform]))]]
    for body in (b"", b"no JSON", b"\xff", b"[" * 100_000, b"{}", b"[]", b"1e999"):
        assert_refused(await post(client, platform, body, []), 401, "missing")
        assert_refused(await post(client, platform, body, wrong), 401, "not made with this app's secret over this body")
    assert await rows_by_table(database.owner) == before


@each_platform
@pytest.mark.parametrize("row", ["missing", "empty"])
async def test_without_a_signature_the_body_is_not_even_taken_in(platform: str, row: str, client: httpx.AsyncClient) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield RAW[platform]

    almost, _ = ALMOST[row]
    headers = almost(*signature_of(signed_as(platform, RAW[platform])))
    answer = await client.post(f"/webhooks/{platform}", content=body(), headers=headers)
    assert_refused(answer, 401, ADAPTERS[platform].signature_header)
    assert taken == 0


@each_platform
async def test_a_right_signature_passes_over_raw_and_over_escaped_text(
    platform: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    text = "Báo giá giúp em: đèn led / 10 bộ 😀"
    for raw in written(platform, text):
        answer = await post(client, platform, raw, signed_as(platform, raw), tenant_id)
        assert (answer.status_code, answer.json()["created"]) == (200, 1), answer.text
    leads = (await client.get("/api/leads", params={"tenant_id": str(tenant_id)})).json()["leads"]
    assert [(lead["platform"], lead["content_text"]) for lead in leads] == [(platform, text)] * 3
    assert [row["signed"] for row in await fetch(database.owner, "SELECT signed FROM receipts WHERE tenant_id = $1", tenant_id)] == [
        True
    ] * 3


def written(platform: str, text: str) -> list[bytes]:
    """Three deliveries: as UTF-8, escaped, and laid out for people."""
    told: list[dict[str, Any]] = [said_on(platform, "710020003000", uuid4().hex, text) for _ in range(3)]
    escaped = json.dumps(told[1]).replace("/", "\\/").encode()
    assert b"\\u0111" in escaped
    return [json.dumps(told[0], ensure_ascii=False).encode(), escaped, json.dumps(told[2], ensure_ascii=False, indent=4).encode()]


@each_platform
async def test_the_same_signed_delivery_again_is_taken_and_makes_nothing_new(
    platform: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    raw = json.dumps(said_on(platform, "710020003000", uuid4().hex, "Cho tôi báo giá")).encode()
    headers = signed_as(platform, raw)  # the very same headers each time: this is somebody who caught the delivery on its way
    answers = [await post(client, platform, raw, headers, tenant_id) for _ in range(3)]
    assert [(answer.status_code, answer.json()["created"]) for answer in answers] == [(200, 1), (200, 0), (200, 0)]
    counted = "SELECT items_created, items_duplicate FROM receipts WHERE tenant_id = $1 ORDER BY received_at, id"
    assert [tuple(row) for row in await fetch(database.owner, counted, tenant_id)] == [(1, 0), (0, 1), (0, 1)]


async def test_zalo_may_leave_its_prefix_out(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    raw = json.dumps(said_on("zalo", "710020003000", uuid4().hex, "Cho tôi báo giá")).encode()
    name, value = signature_of(signed_as("zalo", raw))
    assert (await post(client, "zalo", raw, [(name, value.removeprefix(b"mac="))], tenant_id)).json()["created"] == 1


async def test_what_tiktok_first_sent_three_days_ago_is_taken_once(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    raw = json.dumps(said_on("tiktok", "710020003000", uuid4().hex, "Cho tôi báo giá")).encode()
    headers = signed_as("tiktok", raw, sent_at=datetime.now(UTC) - timedelta(hours=72))
    answers = [await post(client, "tiktok", raw, headers, tenant_id) for _ in range(2)]
    assert [(answer.status_code, answer.json()["created"]) for answer in answers] == [(200, 1), (200, 0)]
    counted = "SELECT signed, items_created, items_duplicate FROM receipts WHERE tenant_id = $1 ORDER BY received_at, id"
    assert [tuple(row) for row in await fetch(database.owner, counted, tenant_id)] == [(True, 1, 0), (True, 0, 1)]


@each_platform
async def test_a_signed_delivery_for_an_unknown_channel_is_kept_and_shown(
    platform: str, client: httpx.AsyncClient, database: DatabaseAddresses
) -> None:
    channel = f"71{uuid4().int % 10**13}"
    raw = json.dumps(said_on(platform, channel, "m_1", "Cho tôi báo giá")).encode()
    before, shown = await rows_by_table(database.owner), await metric(client, "lead_signals_unknown_channels")

    answer = await post(client, platform, raw, signed_as(platform, raw))

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "created": 0, "lead_ids": []})
    (kept,) = await fetch(database.owner, "SELECT platform, body FROM unrouted_deliveries WHERE channel_external_id = $1", channel)
    assert (kept["platform"], kept["body"]) == (platform, raw)
    after = await rows_by_table(database.owner)
    assert after == before | {"unrouted_deliveries": before["unrouted_deliveries"] + 1}
    assert await metric(client, "lead_signals_unknown_channels") == min(shown + 1, 1_000)
