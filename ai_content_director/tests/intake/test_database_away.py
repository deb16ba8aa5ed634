"""Database away: 503 with Retry-After, and nothing acknowledged. What needs no database goes on; back again, so are we."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.migrate import migrate
from lead_signals.intake import admit
from lead_signals.tenancy.tenant_session import TenantSession
from tests.deliveries import ONBOARDING, comment
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import WEBHOOK, assert_refused, execute, metric, open_door, rows_by_table
from tests.intake.own_server import empty_database, own_server
from tests.waiting import wait_until_async

NOBODY_LISTENS = "postgresql://lead_signals_app:mat-khau-cua-toi@127.0.0.1:1/lead_signals"
AWAY = {
    "a closed port": NOBODY_LISTENS,
    "no socket": "postgresql://lead_signals_app@/lead_signals?host=/nonexistent&port=5432",
    "an unknown host": "postgresql://lead_signals_app:mat-khau-cua-toi@database.invalid/lead_signals",
}


@pytest.fixture
def server(postgres_binaries: PostgresBinaries | None) -> Iterator[EmbeddedServer]:
    """A server of this test's own."""
    with own_server(postgres_binaries) as server:
        yield server


@pytest.fixture
def own_database(server: EmbeddedServer) -> DatabaseAddresses:
    """A migrated database in it."""
    addresses = empty_database(server)
    migrate(addresses)
    return addresses


def assert_away(answer: httpx.Response) -> None:
    assert_refused(answer, 503, "database cannot be reached", "nothing was stored")
    assert int(answer.headers["retry-after"]) > 0
    assert "mat-khau" not in answer.text


@pytest.mark.parametrize("address", AWAY.values(), ids=AWAY)
async def test_every_door_that_needs_the_database_says_so(address: str) -> None:
    async with open_door(address) as client:
        for _ in range(2):
            assert_away(await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(uuid4())}))
            assert_away(await client.post(WEBHOOK, json={"object": "page", "entry": [{"id": "1", "changes": []}]}))
            assert_away(await client.post("/onboarding", json=ONBOARDING))
            assert_away(await client.get("/api/leads", params={"tenant_id": str(uuid4())}))
            assert_away(await client.get("/"))


async def test_what_needs_no_database_goes_on() -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN="mat-ma", FACEBOOK_APP_SECRET="bi-mat") as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        handshake = {"hub.mode": "subscribe", "hub.verify_token": "mat-ma", "hub.challenge": "1158201444"}
        assert (await client.get(WEBHOOK, params=handshake)).text == "1158201444"
        assert (await client.post(WEBHOOK, json=comment("c1"))).status_code == 401
        compressed = {"content-encoding": "gzip", "x-hub-signature-256": f"sha256={'0' * 64}"}
        assert (await client.post(WEBHOOK, content=b"\xff", headers=compressed)).status_code == 415
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["status"], ready.json()["database"]["ok"]) == (503, "unready", False)
        assert int(ready.headers["retry-after"]) > 0
        assert await metric(client, "lead_signals_ready", part="database") == 0


async def test_stopped_and_started_again(server: EmbeddedServer, own_database: DatabaseAddresses) -> None:
    async with open_door(own_database.app) as client:
        tenant_id = (await client.post("/onboarding", json=ONBOARDING)).json()["tenant"]["id"]
        before = await rows_by_table(own_database.owner)

        server.stop()
        for _ in range(3):
            assert_away(await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": tenant_id}))
        server.start()

        assert await rows_by_table(own_database.owner) == before

        async def taken() -> httpx.Response | None:
            answer = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": tenant_id})
            if answer.status_code == 503:
                assert_away(answer)
                return None
            return answer

        answer = await wait_until_async(taken, "the door takes deliveries again", 20)
        assert (answer.status_code, answer.json()["created"]) == (200, 1)


async def test_a_database_that_was_never_migrated_is_away_and_says_what_to_do(own_database: DatabaseAddresses) -> None:
    await execute(own_database.owner, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
    async with open_door(own_database.app) as client:
        assert_away(await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(uuid4())}))
        ready = (await client.get("/ready")).json()
        assert (ready["status"], ready["migrations"]["ok"]) == ("unready", False)
        assert "alembic upgrade head" in ready["migrations"]["sentence"]


async def test_a_login_that_is_refused_is_away(own_database: DatabaseAddresses) -> None:
    refused = {
        "no such database": own_database.app.replace("/ban_hang?", "/khong_co?"),
        "no such login": own_database.app.replace("lead_signals_app@", "khong_ai@"),
        "a login that may not become the application role": own_database.owner.replace("postgres@", "khach@"),
    }
    await execute(own_database.owner, "CREATE ROLE khach LOGIN")
    for what, address in refused.items():
        async with open_door(address) as client:
            answer = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(uuid4())})
            assert answer.status_code == 503, what
            ready = await client.get("/ready")
            assert (ready.status_code, ready.json()["database"]["ok"]) == (503, False), what


SQLSTATES = {
    "40P01": 503,  # deadlock: of others, and no outage
    "55P03": 503,  # a lock that others did not give up in time: the same
    "40001": 503,  # serialization failure
    "53100": 503,  # disk full
    "53300": 503,  # too many connections
    "57014": 503,  # statement timeout
    "57P03": 503,  # starting up
    "58030": 503,  # input/output error
    "25006": 503,  # read-only after a failover
    "42601": 500,  # a syntax error is ours: hiding it as an outage would hide it for ever
    "XX000": 500,
}

HELD_UP = {"40P01", "55P03"}


@pytest.mark.parametrize("sqlstate", SQLSTATES)
async def test_a_failure_in_the_middle_stores_nothing(
    sqlstate: str, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(session: TenantSession) -> None:
        await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'that' USING ERRCODE = '{sqlstate}'; END $$"))

    happens_after_the_leads(monkeypatch, fail)
    before = await rows_by_table(database.owner)
    async with open_door(database.app) as client:
        with captured_logs() as logs:
            answer = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(tenant_id)})
        assert answer.status_code == SQLSTATES[sqlstate]
        assert "that" not in answer.text
        assert [event["reason"] for event in logs.events("delivery_refused")] == ["held_up"] * (sqlstate in HELD_UP)
        assert len(logs.events("database_away")) == (answer.status_code == 503 and sqlstate not in HELD_UP)
        assert len(logs.events("unexpected_error")) == (answer.status_code == 500)
        assert await rows_by_table(database.owner) == before
        monkeypatch.undo()
        assert (await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(tenant_id)})).json()["created"] == 1


async def test_a_connection_lost_in_the_middle_stores_nothing(
    database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose_connection(session: TenantSession) -> None:
        backend = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await execute(database.owner, f"SELECT pg_terminate_backend({backend}, 5000)")

    happens_after_the_leads(monkeypatch, lose_connection)
    before = await rows_by_table(database.owner)
    with captured_logs() as logs:
        async with open_door(database.app) as client:
            assert_away(await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(tenant_id)}))
    assert await rows_by_table(database.owner) == before
    assert [event["level"] for event in logs.events("database_away")] == ["warning"]


def happens_after_the_leads(monkeypatch: pytest.MonkeyPatch, what: Callable[[TenantSession], Awaitable[None]]) -> None:
    """From now on this happens in the transaction of a delivery, after its leads were inserted."""
    open_leads = admit.open_leads

    async def open_and_fail(session: TenantSession, *arguments: Any) -> Any:
        opened = await open_leads(session, *arguments)
        await what(session)
        return opened

    monkeypatch.setattr(admit, "open_leads", open_and_fail)
