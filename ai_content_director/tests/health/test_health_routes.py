"""`/health`, `/ready` and `/metrics`: what machines nearby are told."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.heartbeat import beat, say_goodbye
from lead_signals.database.migrate import newest_revision
from lead_signals.database.new_id import new_id
from lead_signals.followups.endpoints.endpoint import PauseReason
from lead_signals.followups.endpoints.operators_pause import pause_operators_endpoint
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.followups.oversight.receipt import follow_up_receipts
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import ONBOARDING, comment
from tests.followups.oversight.overseen import bring_to, change, endpoint_of, owed
from tests.intake.open_door import WEBHOOK, execute, metric, open_door
from tests.intake.page_deliveries import SECRET, delivery, page_entry, signed

WHAT = ("promised", "delivered", "failing", "died")
RECEIPTS = ("accepted", "done", "failed")


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
        "follow_ups": {"ok": True, "sentence": "no endpoint fails"},
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


async def test_the_last_hour_is_told_and_nothing_of_before(fresh_database: DatabaseAddresses, own_engine: AsyncEngine) -> None:
    async with open_door(fresh_database.app) as client:
        unmeasured = ("lead_signals_follow_up_delivered_share", "lead_signals_follow_up_delivery_seconds")
        samples = [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith(unmeasured)]
        assert samples == [], "a share of nothing is no sample"
        tenant_id, ids = await owed(own_engine, fresh_database.owner, 26)
        for number, follow_up_id in enumerate(ids[:21]):  # 21 delivered after 0, 1, … 20 s: the 95th of a hundred is 19 s
            times = {"created_at": func.now() - timedelta(minutes=30)}
            times["finished_at"] = times["created_at"] + timedelta(seconds=number)
            await bring_to(own_engine, tenant_id, follow_up_id, FollowUpState.DELIVERED, **times)
        long_ago = {"created_at": func.now() - timedelta(hours=3), "finished_at": func.now() - timedelta(hours=2)}
        await bring_to(own_engine, tenant_id, ids[21], FollowUpState.DELIVERED, **long_ago)
        await bring_to(own_engine, tenant_id, ids[22], FollowUpState.DEAD, **long_ago)
        await bring_to(own_engine, tenant_id, ids[23], FollowUpState.DEAD, **long_ago | {"finished_at": func.now()})
        await bring_to(own_engine, tenant_id, ids[24], FollowUpState.RETRYING)
        async with tenant_session(own_engine, tenant_id) as session:
            for number, (status, hours) in enumerate([("accepted", 0), ("accepted", 0), ("done", 0), ("accepted", 2), ("failed", 0)]):
                row = {"tenant_id": tenant_id, "follow_up_id": ids[0], "receipt_key": f"r{number}", "status": status}
                await session.execute(insert(follow_up_receipts).values(**row, received_at=func.now() - timedelta(hours=hours)))

        hour = {what: await metric(client, "lead_signals_follow_ups_last_hour", what=what) for what in WHAT}
        assert hour == {"promised": 23, "delivered": 21, "failing": 1, "died": 1}
        assert await metric(client, "lead_signals_follow_up_delivered_share") == pytest.approx(21 / 22)
        assert await metric(client, "lead_signals_follow_up_delivery_seconds", quantile="0.95") == pytest.approx(19)
        said = {status: await metric(client, "lead_signals_follow_up_receipts_last_hour", status=status) for status in RECEIPTS}
        assert said == {"accepted": 2, "done": 1, "failed": 1}
        states = {state.value: await metric(client, "lead_signals_follow_ups", state=state.value) for state in FollowUpState}
        assert states == {"pending": 1, "delivering": 0, "retrying": 1, "dead": 2, "delivered": 0, "cancelled": 0}
        assert str(tenant_id) not in (await client.get("/metrics")).text


async def test_what_waits_for_a_paused_endpoint_is_not_late(fresh_database: DatabaseAddresses, own_engine: AsyncEngine) -> None:
    tenant_id, (paused, waiting) = await owed(own_engine, fresh_database.owner, 2)
    on_hold = await endpoint_of(own_engine, tenant_id, "Tạm dừng", paused_at=func.now(), pause_reason="by_operator")
    await endpoint_of(own_engine, tenant_id, "Không còn", paused_at=func.now(), pause_reason="gone")
    await change(own_engine, tenant_id, paused, endpoint_id=on_hold, due_at=func.now() - timedelta(hours=5))
    await change(own_engine, tenant_id, waiting, due_at=func.now() - timedelta(seconds=90))
    async with open_door(fresh_database.app) as client:
        assert 90 <= await metric(client, "lead_signals_follow_up_oldest_due_seconds") < 150
        assert await metric(client, "lead_signals_follow_ups", state="pending") == 2
        assert [await metric(client, "lead_signals_endpoints_paused", reason=reason) for reason in ("gone", "by_operator")] == [1, 1]


async def test_an_outage_is_told_for_as_long_as_it_lasts(
    client: httpx.AsyncClient, fresh_database: DatabaseAddresses, own_engine: AsyncEngine
) -> None:
    """Promised four hours ago, tried since and never taken: the numbers of the last hour know nothing of it."""
    await alive(own_engine)
    tenant_id, ids = await owed(own_engine, fresh_database.owner, 3)
    promised = {"created_at": func.now() - timedelta(hours=4), "due_at": func.now() + timedelta(hours=1)}
    for follow_up_id in ids:
        await bring_to(own_engine, tenant_id, follow_up_id, FollowUpState.RETRYING, failures=2, begun_at=promised["created_at"], **promised)
    assert await metric(client, "lead_signals_follow_ups_last_hour", what="failing") == 0
    assert await metric(client, "lead_signals_follow_ups_failing") == 3
    assert await metric(client, "lead_signals_follow_up_oldest_due_seconds") == 0
    assert 4 * 3600 <= await metric(client, "lead_signals_follow_up_oldest_owed_seconds") < 4 * 3600 + 60
    assert await metric(client, "lead_signals_endpoints_failing") == 1
    assert await metric(client, "lead_signals_ready", part="follow_ups") == 0
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready"), "taking the door out of service would not mend the receiver"
    assert ready.json()["follow_ups"] == {"ok": False, "sentence": "1 endpoint takes nothing: see doctor"}

    await bring_to(own_engine, tenant_id, ids[0], FollowUpState.DELIVERED)
    assert await metric(client, "lead_signals_endpoints_failing") == 0, "something was taken: it is back"
    assert (await client.get("/ready")).json()["follow_ups"]["ok"] is True


@pytest.mark.parametrize(
    ("reason", "said"),
    [(PauseReason.GONE, "1 endpoint is gone: see doctor"), (PauseReason.BY_OPERATOR, "WEBHOOK_URL is paused by a person: see doctor")],
)
async def test_webhook_url_that_is_paused_is_told_and_what_waits_there_is_not_late(
    reason: PauseReason, said: str, client: httpx.AsyncClient, fresh_database: DatabaseAddresses, own_engine: AsyncEngine
) -> None:
    await alive(own_engine)
    tenant_id, (waiting, failing) = await owed(own_engine, fresh_database.owner, 2)
    hours_ago = func.now() - timedelta(hours=5)
    await change(own_engine, tenant_id, waiting, due_at=hours_ago, created_at=hours_ago)
    await bring_to(own_engine, tenant_id, failing, FollowUpState.RETRYING, failures=9, begun_at=hours_ago, created_at=hours_ago)
    async with own_engine.begin() as connection:
        await pause_operators_endpoint(connection, "https://another.example/webhook", reason)
    assert [await metric(client, "lead_signals_endpoints_paused", reason=each.value) for each in PauseReason] == [0, 0]
    assert await metric(client, "lead_signals_follow_up_oldest_due_seconds") > 4 * 3600, "the pause of another address is none"

    async with own_engine.begin() as connection:
        await pause_operators_endpoint(connection, "https://n8n.example/webhook", reason)
    paused = {each: await metric(client, "lead_signals_endpoints_paused", reason=each.value) for each in PauseReason}
    assert paused == {each: float(each is reason) for each in PauseReason}
    for gauge in ("oldest_due", "oldest_owed"):
        assert await metric(client, f"lead_signals_follow_up_{gauge}_seconds") == 0
    assert await metric(client, "lead_signals_endpoints_failing") == 0
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()["follow_ups"]) == (200, {"ok": False, "sentence": said})
    assert await metric(client, "lead_signals_ready", part="follow_ups") == 0


async def alive(engine: AsyncEngine) -> None:
    """A worker beat just now."""
    async with engine.begin() as connection:
        await beat(connection, new_id())


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
