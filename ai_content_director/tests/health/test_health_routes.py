"""`/health`, `/ready` and `/metrics`: what machines nearby are told."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.heartbeat import beat, say_goodbye
from lead_signals.database.migrate import newest_revision
from lead_signals.database.new_id import new_id
from tests.deliveries import ONBOARDING, comment
from tests.intake.open_door import WEBHOOK, execute, metric, open_door
from tests.intake.page_deliveries import SECRET, delivery, page_entry, signed


@pytest.fixture
async def own_engine(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def client(fresh_database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(fresh_database.app, FACEBOOK_APP_SECRET=SECRET, WEBHOOK_URL="https://n8n.example/webhook") as client:
        yield client


async def test_health_is_exactly_the_runbooks(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.content) == (200, b'{"status":"ok"}')


async def test_ready_while_a_worker_beats(client: httpx.AsyncClient, own_engine: AsyncEngine) -> None:
    worker_id = new_id()
    async with own_engine.begin() as connection:
        await beat(connection, worker_id)
    answer = await client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "database": {"ok": True, "sentence": "reachable"},
        "migrations": {"ok": True, "sentence": f"at {newest_revision()}"},
        "worker": {"ok": True, "sentence": "1 beating"},
        "channels": {"ok": True, "sentence": "all heard as usual"},
        "rule_packs": {"ok": True, "sentence": "all usable"},
    }
    async with own_engine.begin() as connection:
        await say_goodbye(connection, worker_id)
    assert (await client.get("/ready")).json()["status"] == "degraded"


async def test_without_a_worker_deliveries_are_still_taken(client: httpx.AsyncClient, own_engine: AsyncEngine) -> None:
    never = await client.get("/ready")
    assert (never.status_code, never.json()["status"], never.json()["worker"]["ok"]) == (200, "degraded", False)
    assert "lead-signals worker" in never.json()["worker"]["sentence"]
    async with own_engine.begin() as connection:
        await beat(connection, new_id())
        await connection.execute(text("UPDATE worker_heartbeats SET beat_at = now() - interval '16 seconds'"))
    silent = await client.get("/ready")
    assert (silent.status_code, silent.json()["worker"]["ok"]) == (200, False)
    assert "last beat at" in silent.json()["worker"]["sentence"]


async def test_an_older_revision_is_unready_and_says_what_to_run(client: httpx.AsyncClient, fresh_database: DatabaseAddresses) -> None:
    await execute(fresh_database.owner, "UPDATE alembic_version SET version_num = '2026_01_01_0000'")
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert answer.headers["retry-after"] == "5"
    advice = f"this program needs {newest_revision()}: run alembic upgrade head"
    assert answer.json()["migrations"]["sentence"] == f"at 2026_01_01_0000, {advice}"
    assert await metric(client, "lead_signals_ready", part="migrations") == 0


async def test_metrics_tell_readiness_and_what_is_owed(client: httpx.AsyncClient, own_engine: AsyncEngine) -> None:
    async with own_engine.begin() as connection:
        await beat(connection, new_id())
    raw = delivery(page_entry("719", ("c1", "Cho tôi báo giá")))
    await client.post(WEBHOOK, content=raw, headers=signed(raw))
    assert [await metric(client, "lead_signals_ready", part=part) for part in ("database", "migrations", "worker")] == [1, 1, 1]
    assert await metric(client, "lead_signals_unknown_channels") == 1
    assert await metric(client, "lead_signals_follow_ups", state="pending") == 0
    assert await metric(client, "lead_signals_follow_up_oldest_due_seconds") == 0


async def test_promised_follow_ups_are_counted_by_state_and_age(fresh_database: DatabaseAddresses) -> None:
    async with open_door(fresh_database.app, WEBHOOK_URL="https://n8n.example/webhook") as client:
        tenant_id = (await client.post("/onboarding", json=ONBOARDING)).json()["tenant"]["id"]
        for number in range(3):
            await client.post(WEBHOOK, json=comment(f"c{number}"), headers={"X-Tenant-ID": tenant_id})
        await execute(fresh_database.owner, "UPDATE follow_ups SET due_at = now() - interval '90 seconds'")
        await execute(
            fresh_database.owner,
            "UPDATE follow_ups SET state = 'dead', finished_at = now() WHERE id = (SELECT id FROM follow_ups LIMIT 1)",
        )
        assert await metric(client, "lead_signals_follow_ups", state="pending") == 2
        assert await metric(client, "lead_signals_follow_ups", state="dead") == 1
        assert 90 <= await metric(client, "lead_signals_follow_up_oldest_due_seconds") < 150


async def test_deliveries_are_timed_and_labels_stay_few(client: httpx.AsyncClient) -> None:
    before = await metric(client, "lead_signals_delivery_seconds_count", platform="facebook")
    for number in range(20):
        raw = delivery(page_entry(f"{number}", (f"c{number}", "x")))
        await client.post(
            WEBHOOK, content=raw, headers=signed(raw) if number % 2 else {"x-hub-signature-256": f"sha256=nhãn-{number}".encode()}
        )
    assert await metric(client, "lead_signals_delivery_seconds_count", platform="facebook") == before + 20
    assert "nhãn" not in (await client.get("/metrics")).text


async def test_no_series_tells_when_another_began(client: httpx.AsyncClient) -> None:
    raw = delivery(page_entry("719", ("c1", "x")))
    await client.post(WEBHOOK, content=raw, headers=signed(raw))
    names = {line.partition("{")[0].partition(" ")[0] for line in (await client.get("/metrics")).text.splitlines() if line[:1] != "#"}
    assert {"lead_signals_deliveries_total", "lead_signals_delivery_seconds_count", "lead_signals_group_deliveries_sum"} <= names
    assert [name for name in names if name.endswith("_created")] == []
