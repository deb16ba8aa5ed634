"""A replay that writes: new verdicts on leads nobody has decided about, leads that were missing, and nothing else; nobody is called."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import replay_reading, webhook_routes
from lead_signals.intake.prepare import Prepared, prepare
from lead_signals.intent.pack.rule_pack import RulePack, load_rule_pack
from lead_signals.platforms.inbound_signal import Reading
from tests.deliveries import POLITE, UNCLEAR, URGENT
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
    send,
    two_tenants,
)
from tests.intake.open_door import execute, fetch
from tests.intake.page_deliveries import delivery, page_entry
from tests.intake.replays import older_code, plan, replayed, rows

pytestmark = pytest.mark.usefixtures("rules_alone")
NEVER_TOUCHED = ("follow_ups", "delivery_attempts", "receipts", "quarantined_items", "look_ups", "unrouted_deliveries", "channels")


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


@pytest.fixture
def cake(tmp_path: Path) -> RulePack:
    return load_rule_pack(languages_in(rules_with_the_cake(tmp_path)))


async def lead(database: DatabaseAddresses, tenant_id: UUID, message: str) -> dict[str, Any]:
    (row,) = await fetch(database.owner, "SELECT * FROM lead_signals WHERE tenant_id = $1 AND external_message_id = $2", tenant_id, message)
    return {**dict(row), "meta": orjson.loads(row["meta"])}


async def events(database: DatabaseAddresses, tenant_id: UUID, event_type: str) -> list[dict[str, Any]]:
    found = await fetch(
        database.owner,
        "SELECT entity_id, actor, detail FROM audit_events WHERE tenant_id = $1 AND event_type = $2 ORDER BY id",
        tenant_id,
        event_type,
    )
    return [{**dict(event), "detail": orjson.loads(event["detail"])} for event in found]


def differing(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, tuple[int, int]]:
    """For each table that is not the same, how many rows went and came."""
    pairs = {name: (set(before[name]), set(after[name])) for name in before}
    return {name: (len(old - new), len(new - old)) for name, (old, new) in pairs.items() if old != new}


async def test_new_leads_get_their_new_verdict_and_nothing_else_changes(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    before, was = await everything(database.owner), await lead(database, day.here, "late")
    found = await replayed(engine, plan(day.here, cake, write=True))
    assert (found.written.read_again, found.written.created, found.written.changes, found.written.overtaken) == (2, 0, 0, 0)
    assert differing(before, await everything(database.owner)) == {"lead_signals": (2, 2), "audit_events": (0, 2)}

    now = await lead(database, day.here, "late")
    assert {name for name in now if now[name] != was[name]} == {
        "intent_label",
        "priority",
        "confidence_score",
        "status",
        "meta",
        "updated_at",
    }
    assert (now["intent_label"], now["priority"], now["confidence_score"], now["status"]) == ("purchase_intent", "high", 0.95, "new_auto")
    assert now["meta"] == was["meta"] | {
        "rule_pack": cake.name,
        "evidence": [{"rule": "names the cake", "start": 0, "end": len(CAKE), "intent_label": "purchase_intent"}],
    }
    assert (await lead(database, day.here, "x2"))["status"] == "won"
    told = await events(database, day.here, "LEAD_SIGNAL_READ_AGAIN")
    old = {"intent_label": "unknown", "priority": "medium", "confidence_score": 0.3, "status": "new_escalate"}
    new = {"intent_label": "purchase_intent", "priority": "high", "confidence_score": 0.95, "status": "new_auto"}
    assert [event["actor"] for event in told] == ["OPERATOR"] * 2
    for event in told:
        detail = event["detail"]
        assert {name: detail[name] for name in new} == new
        assert detail["before"] == {**old, "rule_pack": was["meta"]["rule_pack"]}
        assert detail["rule_pack"] == cake.name


async def test_repeated_it_finds_only_what_people_decided(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    await replayed(engine, plan(day.here, cake, write=True))
    before = await everything(database.owner)
    again = await replayed(engine, plan(day.here, cake, write=True))
    assert (again.changed, again.decided, again.written.read_again) == (1, 1, 0)
    assert await everything(database.owner) == before


async def test_a_lead_moved_on_after_a_replay_has_the_lane_of_that_replay(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    await replayed(engine, plan(day.here, cake, write=True))
    await execute(
        database.owner,
        f"UPDATE lead_signals SET status = 'confirmed' WHERE tenant_id = '{day.here}' AND external_message_id IN ('c4', 'late')",
    )
    assert [row["status"] for row in await rows(engine, plan(day.here, cake))] == ["won"]


async def test_the_old_rules_bring_the_old_verdicts_back(
    day: Day, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    before = await everything(database.owner, but=("audit_events",))
    was = await lead(database, day.here, "c4")
    await replayed(engine, plan(day.here, cake, write=True))
    back = await replayed(engine, plan(day.here, write=True))
    assert back.written.read_again == 2
    now = await lead(database, day.here, "c4")
    assert now.pop("updated_at") > was.pop("updated_at")
    assert now == was
    assert differing(before, await everything(database.owner, but=("audit_events",))) == {"lead_signals": (2, 2)}, "updated_at"


async def test_an_edit_after_a_replay_is_read_as_ever(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack
) -> None:
    day = await two_tenants(engine)
    await send(client, delivery(page_entry(day.page_here, ("c1", CAKE))))
    await replayed(engine, plan(day.here, cake, write=True))
    await send(client, feed(day.page_here, change("edited", "c1", POLITE), change("hide", "c1")))
    assert (await lead(database, day.here, "c1"))["intent_label"] == "thanks"
    assert (await replayed(engine, plan(day.here))).differences == 0


async def missed_by_older_code(client: httpx.AsyncClient, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> Day:
    """Four missed leads (one nameless, one edited and one taken back meanwhile), one that was there, and five missed changes."""
    day = await two_tenants(engine)
    page = day.page_here
    with monkeypatch.context() as then:
        then.setattr(webhook_routes, "prepare", older_code("CŨ"))
        missed = page_entry(page, ("m1", f"CŨ {URGENT}"), ("m2", f"CŨ {URGENT}"), ("m3", f"CŨ {URGENT}"))
        there = page_entry(page, ("t1", URGENT), ("t2", URGENT), ("t3", POLITE))
        assert (await send(client, delivery(missed, there)))["created"] == 3
        assert (await send(client, delivery(missed)))["created"] == 0
        assert (await send(client, mocks(mock(None, f"CŨ {URGENT}"), mock(None, UNCLEAR)), day.here))["created"] == 1
        await send(client, feed(page, change("edited", "m2", POLITE), change("remove", "m3")))
        await send(client, feed(page, change("edited", "t3", URGENT), change("remove", "t2"), change("hide", "t1")))
    return day


@pytest.mark.parametrize("at_once", [1, 200])
async def test_missing_leads_are_created_as_if_they_had_been_read_then(
    at_once: int, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = await missed_by_older_code(client, engine, monkeypatch)
    before = await everything(database.owner)
    found = await replayed(engine, plan(day.here, write=True), at_once)
    assert (found.missing, found.written.created, found.changes.total(), found.written.changes) == (4, 4, 5, 5)

    after = await everything(database.owner)
    assert [name for name in NEVER_TOUCHED if name != "follow_ups" and before[name] != after[name]] == []
    leads = {name: await lead(database, day.here, name) for name in ("m1", "m2", "m3", "t1", "t2", "t3")}
    assert {name: (one["status"], one["intent_label"]) for name, one in leads.items()} == {
        "m1": ("new_auto", "inquiry_price"),
        "m2": ("new_auto", "thanks"),
        "m3": ("withdrawn", "inquiry_price"),
        "t1": ("new_auto", "inquiry_price"),
        "t2": ("withdrawn", "inquiry_price"),
        "t3": ("new_auto", "inquiry_price"),
    }
    assert (leads["m2"]["content_text"], leads["t1"]["meta"]["hidden"]) == (POLITE, True)
    receipts = {row["id"]: row["received_at"] for row in await fetch(database.owner, "SELECT id, received_at FROM receipts")}
    assert all(one["created_at"] == receipts[one["receipt_id"]] for one in leads.values())
    created = [event for event in await events(database, day.here, "LEAD_SIGNAL_CREATED") if event["detail"].get("by_replay")]
    assert {event["entity_id"] for event in created} >= {leads[name]["id"] for name in ("m1", "m2", "m3")}
    assert (len(created), {event["actor"] for event in created}) == (4, {"OPERATOR"})

    again = await replayed(engine, plan(day.here, write=True), at_once)
    assert (again.differences, again.compared) == (0, found.compared + 4)
    assert await everything(database.owner) == after, "and a second time there is nothing left to do"


async def test_nobody_is_called_because_of_a_replay(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch, cake: RulePack
) -> None:
    day = await missed_by_older_code(client, engine, monkeypatch)
    before = await states_of_follow_ups(database, day.here)
    assert set(before.values()) == {"pending"}
    t2 = (await lead(database, day.here, "t2"))["id"]
    await replayed(engine, plan(day.here, cake, write=True))
    after = await states_of_follow_ups(database, day.here)
    assert after == before | {t2: "cancelled"}, "what was owed about a comment that was taken back is not owed any more"


async def states_of_follow_ups(database: DatabaseAddresses, tenant_id: UUID) -> dict[UUID, str]:
    rows = await fetch(database.owner, "SELECT lead_id, state FROM follow_ups WHERE tenant_id = $1", tenant_id)
    return {row["lead_id"]: row["state"] for row in rows}


async def test_what_the_database_refuses_stays_alone(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = await missed_by_older_code(client, engine, monkeypatch)

    def poisoned(reading: Reading) -> Prepared:
        prepared = prepare(reading)
        leads = [replace(one, author_name="\x00") if one.external_message_id == "m1" else one for one in prepared.leads]
        return replace(prepared, leads=tuple(leads))

    monkeypatch.setattr(replay_reading, "prepare", poisoned)
    found = await replayed(engine, plan(day.here, write=True))
    assert (found.written.created, found.written.refused, found.missing) == (3, 1, 4)
    assert await fetch(database.owner, "SELECT id FROM lead_signals WHERE tenant_id = $1 AND external_message_id = 'm1'", day.here) == []


async def test_another_text_of_newer_code_is_written_with_its_verdict(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence counts characters of the text: one without the other would mark the wrong words."""
    day = await two_tenants(engine)
    with monkeypatch.context() as then:
        then.setattr(webhook_routes, "prepare", cut_after(6))
        await send(client, mocks(mock("c1", URGENT)), day.here)
    assert (await lead(database, day.here, "c1"))["content_text"] == URGENT[:6]
    await replayed(engine, plan(day.here, write=True))
    now = await lead(database, day.here, "c1")
    assert (now["content_text"], now["intent_label"]) == (URGENT, "inquiry_price")
    marked = [now["content_text"][seen["start"] : seen["end"]] for seen in now["meta"]["evidence"]]
    assert "Cho tôi báo giá" in marked
    assert (await replayed(engine, plan(day.here))).differences == 0


def cut_after(characters: int) -> Any:
    def cut(reading: Reading) -> Prepared:
        return prepare(replace(reading, signals=tuple(replace(one, content_text=one.content_text[:characters]) for one in reading.signals)))

    return cut


async def test_the_neighbour_is_not_touched(day: Day, engine: AsyncEngine, database: DatabaseAddresses, cake: RulePack) -> None:
    statement = "SELECT to_jsonb(l)::text FROM lead_signals l WHERE tenant_id = $1 ORDER BY 1"
    before = await fetch(database.owner, statement, day.there)
    assert len(await rows(engine, plan(day.there, cake))) == 1, "it would differ too"
    await replayed(engine, plan(day.here, cake, write=True))
    assert await fetch(database.owner, statement, day.there) == before
    assert await events(database, day.there, "LEAD_SIGNAL_READ_AGAIN") == []
