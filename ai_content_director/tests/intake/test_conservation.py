"""Items received = created + updated + duplicate + ignored + quarantined: true for every receipt, whatever happens on the way."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest
from sqlalchemy import text

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import admit, prepare
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.platforms.inbound_signal import InboundSignal
from lead_signals.tenancy.tenant_session import TenantSession
from tests.deliveries import POLITE, URGENT, comment
from tests.intake.books import assert_books_balance
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import WEBHOOK, assert_refused, fetch, metric, open_door, rows_by_table
from tests.intake.page_deliveries import delivery, page_entry

STRANGE = "Bình luận mà cơ sở dữ liệu từ chối"


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app, WEBHOOK_URL="https://n8n.example/webhook") as client:
        yield client


async def send(client: httpx.AsyncClient, tenant_id: UUID, *entries: Any) -> dict[str, Any]:
    answer = await client.post(WEBHOOK, json={"object": "page", "entry": entries}, headers={"X-Tenant-ID": str(tenant_id)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def mock(comment_id: str | None, message: str = URGENT) -> dict[str, Any]:
    entry = dict(comment(comment_id or "", message)["entry"][0])
    if comment_id is None:
        del entry["comment_id"]
    return entry


async def counts(database: DatabaseAddresses, tenant_id: UUID) -> list[tuple[int, ...]]:
    """(received, created, updated, duplicate, ignored, quarantined) of each receipt, in order."""
    rows = await fetch(
        database.owner,
        "SELECT items_received, items_created, items_updated, items_duplicate, items_ignored, items_quarantined FROM receipts"
        " WHERE tenant_id = $1 ORDER BY received_at",
        tenant_id,
    )
    return [tuple(row) for row in rows]


async def test_every_fate_is_counted_once(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID) -> None:
    echo = {
        "id": "1",
        "messaging": [{"sender": {"id": "1"}, "recipient": {"id": "2"}, "message": {"is_echo": True, "mid": "e", "text": "x"}}],
    }
    like = {"id": "1", "changes": [{"field": "feed", "value": {"item": "like", "verb": "add"}}]}
    entries = [
        mock("c1"),
        mock("c1"),
        mock("c2", POLITE),
        echo,
        like,
        {},
        "strange",
        {"message": 7},
        {"id": "1", "changes": [{"field": "feed"}]},
    ]

    first = await send(client, tenant_id, *entries)
    second = await send(client, tenant_id, *entries)

    assert (first["created"], second["created"], second["lead_ids"]) == (2, 0, [])
    assert await counts(database, tenant_id) == [(9, 2, 0, 1, 3, 3), (9, 0, 0, 3, 3, 3)]
    rows = await fetch(database.owner, "SELECT ignored_reasons FROM receipts WHERE tenant_id = $1", tenant_id)
    assert [orjson.loads(row["ignored_reasons"]) for row in rows] == [{"echo": 1, "reaction": 1, "empty_entry": 1}] * 2
    await assert_books_balance(database.owner, tenant_id)


async def test_the_items_counted_for_prometheus_add_up_too(client: httpx.AsyncClient, tenant_id: UUID) -> None:
    async def seen() -> dict[str, float]:
        outcomes = ("created", "duplicate", "ignored", "quarantined")
        return {outcome: await metric(client, "lead_signals_items_total", outcome=outcome) for outcome in outcomes}

    before = await seen()
    await send(client, tenant_id, mock("c1"), mock("c1"), {}, "strange", mock("c2"))
    assert {name: value - before[name] for name, value in (await seen()).items()} == {
        "created": 2,
        "duplicate": 1,
        "ignored": 1,
        "quarantined": 1,
    }


async def test_duplicates_within_one_body_keep_the_first(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID) -> None:
    said = await send(client, tenant_id, mock("c1", "lần đầu"), mock("c1", "lần hai"), mock("c0", "khác"), mock("c1", "lần ba"))
    assert said["created"] == 2
    leads = (await client.get("/api/leads", params={"tenant_id": str(tenant_id)})).json()["leads"]
    assert {lead["external_message_id"]: lead["content_text"] for lead in leads} == {"c1": "lần đầu", "c0": "khác"}
    assert [lead["id"] for lead in leads] == said["lead_ids"][::-1], "newest first is the reverse of the order in the body"
    assert await counts(database, tenant_id) == [(4, 2, 0, 2, 0, 0)]


async def test_the_same_message_on_two_tenants_is_two_leads(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    other = (await client.post("/onboarding", json={"tenant_name": "Nhà máy Đông Phong"})).json()["tenant"]["id"]
    assert (await send(client, tenant_id, mock("c1")))["created"] == 1
    assert (await send(client, UUID(other), mock("c1")))["created"] == 1


async def test_a_mock_entry_without_an_id_is_kept_each_time(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    entry = mock(None)
    assert (await send(client, tenant_id, entry, entry))["created"] == 2
    assert (await send(client, tenant_id, entry))["created"] == 1
    assert await counts(database, tenant_id) == [(2, 2, 0, 0, 0, 0), (1, 1, 0, 0, 0, 0)]


async def test_the_raw_body_is_kept_byte_for_byte(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID) -> None:
    entry = rb'{"message":"\u0000 gi\u00e1 ' + "😀".encode() + b'","comment_id":"c1","message":"cu\xe1\xbb\x91i"}'
    raw = b'{ "object" :"page",\n"tenant_id":"' + str(tenant_id).encode() + b'", "entry":[' + entry + b"]}"
    assert (await client.post(WEBHOOK, content=raw)).json()["created"] == 1
    (row,) = await fetch(database.owner, "SELECT body, body_is_excerpt FROM receipts WHERE tenant_id = $1", tenant_id)
    assert (row["body"], row["body_is_excerpt"]) == (raw, False)


REFUSALS: dict[str, Callable[[LeadDraft], LeadDraft]] = {
    "a text with U+0000": lambda draft: replace(draft, content_text="a\x00b"),
    "a text no encoding holds": lambda draft: replace(draft, content_text="a\ud800b"),
    "an id above the index's limit": lambda draft: replace(draft, external_message_id="".join(map(chr, range(0x4E00, 0x4E00 + 5_000)))),
    "a score outside its CHECK": lambda draft: replace(draft, verdict=replace(draft.verdict, confidence_score=2.0)),
    "JSON with U+0000": lambda draft: replace(draft, meta={"note": "\x00"}),
    "a post id with U+0000": lambda draft: replace(draft, external_post_id="p\x00"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_what_the_database_refuses_is_quarantined_and_its_neighbours_become_leads(
    refusal: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lead, made_strange = prepare._lead, list[LeadDraft]()

    def lead(signal: InboundSignal, receipt_id: UUID) -> LeadDraft:
        made = make_lead(signal, receipt_id)
        if signal.content_text != STRANGE:
            return made
        made_strange.append(made)
        return REFUSALS[refusal](made)

    monkeypatch.setattr(prepare, "_lead", lead)
    assert (await send(client, tenant_id, mock("c0")))["created"] == 1

    said = await send(
        client, tenant_id, mock("c1"), mock("s1", STRANGE), mock("c0"), mock("c1"), mock("s2", STRANGE), mock("c2"), {}, "strange"
    )

    assert said["created"] == 2
    assert await counts(database, tenant_id) == [(1, 1, 0, 0, 0, 0), (8, 2, 0, 2, 1, 3)]
    kept = await fetch(
        database.owner, "SELECT item FROM quarantined_items WHERE tenant_id = $1 AND reason = 'refused_by_database'", tenant_id
    )
    strange = [REFUSALS[refusal](lead) for lead in made_strange]
    assert Counter(json.loads(row["item"])["external_message_id"] for row in kept) == Counter(lead.external_message_id for lead in strange)
    assert {json.loads(row["item"])["content_text"] for row in kept} == {lead.content_text for lead in strange}
    (owed,) = await fetch(database.owner, "SELECT count(*) FROM follow_ups WHERE tenant_id = $1", tenant_id)
    assert owed["count"] == 3
    await assert_books_balance(database.owner, tenant_id)


def refuse(monkeypatch: pytest.MonkeyPatch, where: str, when: Callable[..., bool]) -> None:
    """From now on PostgreSQL refuses, as a CHECK would, what this step of the transaction writes."""
    write = getattr(admit, where)

    async def refused(session: TenantSession, *arguments: Any) -> Any:
        if when(*arguments):
            await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION '{STRANGE}' USING ERRCODE = 'check_violation'; END $$"))
        return await write(session, *arguments)

    monkeypatch.setattr(admit, where, refused)


BESIDE_THE_LEADS: dict[str, Callable[..., bool]] = {
    "write_receipts": lambda envelopes: any(envelope.admission.created for envelope in envelopes),
    "record": lambda tenant_id, events: len(events) > 0,
    "apply_changes": lambda tenant_id, recorded, opened, policy: len(opened) > 0,
}


@pytest.mark.parametrize("step", BESIDE_THE_LEADS)
async def test_what_is_refused_beside_the_leads_is_kept_in_quarantine(
    step: str, client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, step, BESIDE_THE_LEADS[step])
    with captured_logs() as logs:
        assert (await send(client, tenant_id, mock("c1"), mock("c2"), {}, "strange"))["created"] == 0
    assert await counts(database, tenant_id) == [(4, 0, 0, 0, 1, 3)]
    kept = await fetch(database.owner, "SELECT reason, item FROM quarantined_items WHERE tenant_id = $1 ORDER BY id", tenant_id)
    assert [row["reason"] for row in kept] == ["entry_not_object", "refused_by_database", "refused_by_database"]
    assert [orjson.loads(row["item"])["external_message_id"] for row in kept[1:]] == ["c1", "c2"]
    assert [event["level"] for event in logs.events("part_refused_by_database")] == ["error"]
    assert STRANGE not in str(logs.events("part_refused_by_database"))
    await assert_books_balance(database.owner, tenant_id)


async def test_what_cannot_even_be_kept_unread_is_not_acknowledged(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "write_receipts", lambda *_: True)
    before = await rows_by_table(database.owner)
    with captured_logs() as logs:
        answer = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(tenant_id)})
    assert_refused(answer, 503, "nothing was stored")
    assert int(answer.headers["retry-after"]) > 0
    assert [event["level"] for event in logs.events("delivery_refused_by_database")] == ["critical"]
    assert await rows_by_table(database.owner) == before


async def test_what_cannot_be_classified_is_quarantined(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    understand = prepare.classify

    def classify(text: str) -> Any:
        if text == STRANGE:
            raise RecursionError("a rule went round in circles")
        return understand(text)

    monkeypatch.setattr(prepare, "classify", classify)
    assert (await send(client, tenant_id, mock("c1"), mock("s1", STRANGE), mock("c2")))["created"] == 2
    assert await counts(database, tenant_id) == [(3, 2, 0, 0, 0, 1)]
    (kept,) = await fetch(database.owner, "SELECT reason FROM quarantined_items WHERE tenant_id = $1", tenant_id)
    assert kept["reason"] == "classify_crashed"


async def test_the_table_itself_refuses_counts_that_do_not_add_up(database: DatabaseAddresses, tenant_id: UUID) -> None:
    connection = await asyncpg.connect(dsn=database.owner)
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="ck_receipts_conservation"):
            await connection.execute(
                "INSERT INTO receipts VALUES ($1, gen_random_uuid(), 'facebook', 'header', false, '', false, 2, 1, 0, 0, 0, 0, '{}')",
                tenant_id,
            )
    finally:
        await connection.close()


async def test_a_delivery_with_nothing_for_us_leaves_a_receipt(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    assert (await send(client, tenant_id))["created"] == 0
    raw = delivery(page_entry("1"))
    assert (await client.post(WEBHOOK, content=raw, headers={"X-Tenant-ID": str(tenant_id)})).json()["created"] == 0
    assert await counts(database, tenant_id) == [(0, 0, 0, 0, 0, 0), (1, 0, 0, 0, 1, 0)]


async def test_nothing_is_promised_where_nobody_listens(database: DatabaseAddresses, tenant_id: UUID) -> None:
    async with open_door(database.app) as client:
        await send(client, tenant_id, mock("c1"))
    assert (await fetch(database.owner, "SELECT count(*) FROM follow_ups WHERE tenant_id = $1", tenant_id))[0]["count"] == 0
