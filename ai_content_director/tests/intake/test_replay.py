"""Replay: the same code and rules find nothing; other rules and newer code tell exactly what they change, and nothing is written."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import admit, replay_reading, webhook_routes
from lead_signals.intake.age_receipts import age_receipts
from lead_signals.intake.prepare import Prepared, prepare
from lead_signals.intent import lane
from lead_signals.intent.classify import classify
from lead_signals.intent.pack.rule_pack import load_rule_pack
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.platforms.inbound_signal import Reading
from tests.deliveries import POLITE, URGENT
from tests.intake.a_mixed_day import (
    CAKE,
    Day,
    a_mixed_day,
    change,
    everything,
    feed,
    languages_in,
    mock,
    mocks,
    replay_door,
    rules_with_the_cake,
    rules_without,
    send,
    two_tenants,
)
from tests.intake.open_door import execute, fetch
from tests.intake.page_deliveries import delivery, page_entry, signed
from tests.intake.replays import older_code, plan, replayed, rows
from tests.tenancy.test_walls import without_tenant_conditions

pytestmark = pytest.mark.usefixtures("rules_alone")
PAYLOADS = Path(__file__).resolve().parents[1] / "platforms" / "payloads"


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its tests count what is in all of it."""
    return make_database()


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with replay_door(database) as client:
        yield client


@pytest.fixture
async def day(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> Day:
    return await a_mixed_day(client, engine, database)


async def counted(database: DatabaseAddresses, tenant_id: UUID) -> tuple[int, int, int]:
    """Leads, receipts and items of a tenant."""
    (stored,) = await fetch(
        database.owner,
        "SELECT (SELECT count(*) FROM lead_signals WHERE tenant_id = $1) AS leads, count(*) AS receipts, sum(items_received) AS items"
        " FROM receipts WHERE tenant_id = $1",
        tenant_id,
    )
    return stored["leads"], stored["receipts"], stored["items"]


async def lead_ids(database: DatabaseAddresses, tenant_id: UUID, *messages: str) -> set[str]:
    statement = "SELECT id FROM lead_signals WHERE tenant_id = $1 AND external_message_id = ANY($2)"
    return {str(row["id"]) for row in await fetch(database.owner, statement, tenant_id, list(messages))}


@pytest.mark.parametrize("at_once", [1, 3, 200])
async def test_the_same_code_and_rules_find_no_difference(at_once: int, day: Day, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    before = await everything(database.owner)
    for tenant_id, leads, forms in ((day.here, 26, 2), (day.there, 5, 0)):
        found = await replayed(engine, plan(tenant_id, write=True), at_once)
        assert (found.differences, [moves.total() for moves in found.moves.values()]) == (0, [0, 0, 0])
        assert (found.compared, found.forms, found.refused_then, found.unreadable) == (leads, forms, 0, 0)
        assert (found.compared, found.receipts, found.items) == await counted(database, tenant_id)
    assert await everything(database.owner) == before


async def test_every_payload_of_every_platform_reads_as_it_read(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    day = await two_tenants(engine)
    sent = 0
    for path in sorted(PAYLOADS.glob("*/*.json")):
        if path.name.endswith(".expected.json"):
            continue
        raw = path.read_bytes()
        headers = signed(raw) | {"X-Tenant-ID": str(day.here)}
        for _ in range(2):
            answer = await client.post(f"/webhooks/{path.parent.name}", content=raw, headers=headers)
            sent += answer.status_code == 200
    assert sent > 300
    before = await everything(database.owner)
    found = await replayed(engine, plan(day.here, write=True))
    assert await rows(engine, plan(day.here)) == []
    assert (found.differences, found.unreadable) == (0, 0)
    assert (found.compared, found.receipts, found.items) == await counted(database, day.here)
    assert await everything(database.owner) == before


async def test_what_the_database_refused_then_is_no_difference(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = await two_tenants(engine)
    written = admit.open_leads

    async def open_leads(session: Any, tenant_id: UUID, drafts: Any) -> Any:
        return await written(session, tenant_id, [_poisoned(draft) for draft in drafts])

    monkeypatch.setattr(admit, "open_leads", open_leads)
    assert (await send(client, mocks(mock("c1", URGENT), mock("c2", "độc")), day.here))["created"] == 1
    found = await replayed(engine, plan(day.here))
    assert (found.differences, found.refused_then, found.compared) == (0, 1, 1)
    assert (await fetch(database.owner, "SELECT reason FROM quarantined_items WHERE tenant_id = $1", day.here))[0]["reason"] == (
        admit.REFUSED_BY_DATABASE
    )


def _poisoned(draft: LeadDraft) -> LeadDraft:
    return replace(draft, verdict=replace(draft.verdict, confidence_score=2.0)) if draft.content_text == "độc" else draft


async def test_one_rule_more_tells_who_is_read_differently(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, tmp_path: Path
) -> None:
    pack = load_rule_pack(languages_in(rules_with_the_cake(tmp_path)))
    before = await everything(database.owner)
    found = await replayed(engine, plan(day.here, pack), at_once=2)
    assert found.moves == {
        "lane": {("new_escalate", "new_auto"): 3},
        "intent": {("unknown", "purchase_intent"): 3},
        "priority": {("medium", "high"): 3},
    }
    assert (found.changed, found.differences, found.confidence, found.decided, found.contacts, found.texts) == (3, 3, 3, 1, 0, 0)
    listed = await rows(engine, plan(day.here, pack))
    assert {row["lead_id"] for row in listed} == await lead_ids(database, day.here, "c4", "x2", "late")
    old = {"intent_label": "unknown", "priority": "medium", "confidence_score": 0.3, "lane": "new_escalate"}
    new = {"intent_label": "purchase_intent", "priority": "high", "confidence_score": 0.95, "lane": "new_auto"}
    assert [(row["old"], row["new"], row["text"]) for row in listed] == [(old, new, CAKE)] * 3
    assert sorted((row["status"], row["may_be_written"]) for row in listed) == [
        ("new_escalate", True),
        ("new_escalate", True),
        ("won", False),
    ]
    assert await everything(database.owner) == before, "a plan without `write` writes nothing"


async def test_one_rule_less_tells_it_too(day: Day, engine: AsyncEngine, tmp_path: Path) -> None:
    pack = load_rule_pack(languages_in(rules_without(tmp_path, "says thanks", "thanks.yaml")))
    found = await replayed(engine, plan(day.here, pack))
    # c2, two nameless ones, e4 which was edited into it, e5 which was taken back: by the rule that is gone, and by the other.
    assert found.moves == {"lane": {("new_auto", "new_escalate"): 5}, "intent": {}, "priority": {}}
    assert (found.changed, found.confidence, found.decided) == (5, 5, 3)
    assert {
        (row["old"]["confidence_score"], row["new"]["confidence_score"], row["text"]) for row in await rows(engine, plan(day.here, pack))
    } == {(classify(POLITE).confidence_score, classify(POLITE, pack).confidence_score, POLITE)}


async def test_only_the_time_and_the_tenant_asked_for_are_read(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, tmp_path: Path
) -> None:
    day = await two_tenants(engine)
    for number, tenant_id in enumerate([day.here, day.here, day.here, day.there]):
        await send(client, mocks(mock(f"c{number}", CAKE)), tenant_id)
    first, second, third = await fetch(database.owner, "SELECT id, received_at FROM receipts WHERE tenant_id = $1 ORDER BY 2", day.here)
    pack = load_rule_pack(languages_in(rules_with_the_cake(tmp_path)))
    between = replace(plan(day.here, pack), since=second["received_at"], until=third["received_at"])
    assert [row["receipt_id"] for row in await rows(engine, between)] == [str(second["id"])]
    until_the_second = replace(plan(day.here, pack), until=second["received_at"])
    assert [row["receipt_id"] for row in await rows(engine, until_the_second)] == [str(first["id"])]


async def test_what_older_code_did_not_read_is_told_once(
    client: httpx.AsyncClient, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = await two_tenants(engine)
    missed = delivery(page_entry(day.page_here, ("c1", f"CŨ {URGENT}"), ("c2", POLITE)))
    nameless = mocks(mock(None, f"CŨ {CAKE}"), mock(None, POLITE))
    with monkeypatch.context() as then:
        then.setattr(webhook_routes, "prepare", older_code("CŨ"))
        for _ in range(2):
            await send(client, missed)
        await send(client, nameless, day.here)
        await send(client, feed(day.page_here, change("edited", "c2", URGENT), change("remove", "c1")))
    await send(client, feed(day.page_here, change("edited", "c2", CAKE, at=1_763_800_400)))
    for at_once in (1, 200):
        found = await replayed(engine, plan(day.here), at_once)
        assert (found.missing, found.changes, found.unread, found.changed) == (2, {"edited": 1, "removed": 1}, 0, 0)
        listed = await rows(engine, plan(day.here), at_once)
        assert Counter((row["kind"], row["text"]) for row in listed) == {
            ("missing", f"CŨ {URGENT}"): 1,
            ("missing", f"CŨ {CAKE}"): 1,
            ("change", URGENT): 1,
            ("change", ""): 1,
        }
    score = classify(f"CŨ {URGENT}").confidence_score
    assert listed[0]["new"] == {"intent_label": "inquiry_price", "priority": "high", "confidence_score": score, "lane": "new_auto"}


async def test_an_item_that_is_no_signal_any_more_is_told(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await everything(database.owner)
    monkeypatch.setattr(replay_reading, "prepare", older_code(CAKE))
    found = await replayed(engine, plan(day.here, write=True))
    listed = await rows(engine, plan(day.here))
    assert (found.unread, found.differences) == (2, 2)
    assert {row["lead_id"] for row in listed} == await lead_ids(database, day.here, "c4", "x2")
    assert {(row["kind"], row["text"]) for row in listed} == {("unread", CAKE)}
    assert await everything(database.owner) == before, "a lead that is there stays"


async def test_a_body_that_nobody_can_read_any_more_is_counted(day: Day, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    await execute(database.owner, f"UPDATE receipts SET body = 'kaputt' WHERE tenant_id = '{day.there}' AND body_is_excerpt")
    found = await replayed(engine, plan(day.there))
    assert (found.unreadable, found.unread, found.differences) == (1, 1, 1)


async def test_the_lane_of_then_counts_for_leads_that_people_moved_on(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the floor of a lane moves: what the machine said of a lead that was moved on stands in its history, not in its score."""
    monkeypatch.setattr(lane, "AUTO_FLOOR", classify(POLITE).confidence_score + 0.001)
    found = await replayed(engine, plan(day.here))
    # c2 and e5 by their opening, e4 by its edit, and the two nameless ones by their status.
    polite = [row for row in await rows(engine, plan(day.here)) if row["text"] == POLITE]
    assert [(row["old"]["lane"], row["new"]["lane"]) for row in polite] == [("new_auto", "new_draft")] * 5
    assert sum(not row["may_be_written"] for row in polite) == 3
    assert (set(found.moves["lane"]), found.moves["intent"], found.confidence) == ({("new_auto", "new_draft")}, {}, 0)


async def test_newer_code_that_reads_another_text_or_another_phone_is_told(
    day: Day, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newer(reading: Reading) -> Prepared:
        prepared = prepare(reading)
        leads = [
            replace(draft, content_text=f"{draft.content_text}!", verdict=replace(draft.verdict, phones=("+84900000000",)))
            if draft.content_text == POLITE
            else draft
            for draft in prepared.leads
        ]
        return replace(prepared, leads=tuple(leads))

    monkeypatch.setattr(replay_reading, "prepare", newer)
    found = await replayed(engine, plan(day.here))
    assert (found.texts, found.contacts, found.changed) == (4, 4, 4), "c2, two nameless ones, e5; the edited e4 keeps its own words"
    assert [moves.total() for moves in found.moves.values()] == [0, 0, 0]


async def test_receipts_without_a_body_are_counted_and_left_out(day: Day, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    _, receipts, _ = await counted(database, day.here)
    await execute(
        database.owner,
        "UPDATE receipts SET received_at = received_at - interval '100 days' WHERE (tenant_id, id) IN"
        f" (SELECT tenant_id, id FROM receipts WHERE tenant_id = '{day.here}' ORDER BY received_at LIMIT 4)",
    )
    await age_receipts(engine, 90, clock.now())
    found = await replayed(engine, plan(day.here))
    assert (found.without_body, found.receipts, found.differences) == (4, receipts - 4, 0)


async def test_no_transaction_is_open_while_texts_are_judged(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def looking(reading: Reading) -> Prepared:
        seen.append(engine.pool.checkedout())  # type: ignore[attr-defined]
        return prepare(reading)

    monkeypatch.setattr(replay_reading, "prepare", looking)
    await replayed(engine, plan(day.here))
    assert set(seen) == {0}


async def test_the_walls_alone_give_the_same_answer(day: Day, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    """Both tenants have messages of the same ids. With every condition on the tenant taken away, only the wall stands between them."""
    await execute(database.owner, f"UPDATE lead_signals SET intent_label = 'spam' WHERE tenant_id = '{day.there}'")
    with without_tenant_conditions() as weakened:
        here, there = await replayed(engine, plan(day.here)), await replayed(engine, plan(day.there))
    assert (here.compared, here.differences) == (26, 0)
    assert (there.compared, there.moves["intent"].total()) == (5, 5)
    asked = {"receipts", "lead_signals", "quarantined_items", "message_changes", "audit_events"}
    assert weakened >= asked


async def test_yesterday_is_not_read_when_today_is_asked_for(day: Day, engine: AsyncEngine) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    assert (await replayed(engine, replace(plan(day.here), since=tomorrow))).receipts == 0
