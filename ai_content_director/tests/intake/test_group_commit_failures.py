"""Nobody waits in vain: the database goes away, locks do not come free, senders leave. Each who waits gets an answer, and in time."""

import asyncio
import gc
import os
import signal
import traceback
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lead_signals.database import lock_patience
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.availability import database_is_away
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import app_engine
from lead_signals.database.migrate import migrate
from lead_signals.intake import admit, group_commit
from lead_signals.leads.hold_history import hold_history
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session
from tests.deliveries import comment
from tests.intake.captured_logs import captured_logs
from tests.intake.gathering import Scene, admission_of, incoming, new_tenant, outcomes, poisoned, said
from tests.intake.open_door import WEBHOOK, assert_refused, fetch, metric, open_door
from tests.intake.own_server import empty_database, own_server
from tests.intake.page_deliveries import page_entry
from tests.leads.lock_waits import wait_until_somebody_waits_for
from tests.waiting import wait_until_async

MANY = 12


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


def assert_away(outcome: Any) -> None:
    assert isinstance(outcome, Exception)
    assert database_is_away(outcome), repr(outcome)


def assert_held_up(outcome: Any) -> None:
    assert isinstance(outcome, RefusedRequest), repr(outcome)
    assert (outcome.status, outcome.reason) == (503, "held_up")


async def test_who_asked_may_go_and_the_delivery_is_written(scene: Scene, tenant_id: UUID) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    async with scene.first_group_held() as (_, first):
        leaving, staying = await scene.gather(said(tenant_id, "leaving"), said(tenant_id, "staying"))
        first.cancel()
        leaving.cancel()
        await asyncio.wait([first, leaving])
    assert admission_of(await staying).created == 1
    assert (first.cancelled(), leaving.cancelled()) == (True, True)
    assert await scene.count("lead_signals", scene.held_tenant) == 1
    assert await scene.count("lead_signals", tenant_id) == 2
    del first, leaving
    gc.collect()
    assert complaints == []


async def test_who_asked_may_go_before_a_refusal(scene: Scene, monkeypatch: pytest.MonkeyPatch, tenant_id: UUID) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    crash_in(monkeypatch, tenant_id, ConnectionResetError())
    async with scene.first_group_held() as (_, first):
        leaving, staying = await scene.gather(said(tenant_id), said(tenant_id))
        leaving.cancel()
    assert admission_of(await first).created == 1
    assert_away((await outcomes([staying]))[0])
    del leaving, staying
    gc.collect()
    assert complaints == []


async def test_each_hears_of_a_failure_by_an_exception_of_its_own(scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that many raise would carry the tracebacks of them all, and be logged with them for each."""
    crash_in(monkeypatch, tenant_id, failure := ConnectionResetError("gone"))
    waited = await scene.together(*(said(tenant_id) for _ in range(MANY)))
    for outcome in waited:
        assert_away(outcome)
        assert isinstance(outcome, ConnectionResetError)
        assert outcome.__cause__ is failure
        assert len(traceback.extract_tb(outcome.__traceback__)) < 5
    assert len({id(outcome) for outcome in waited}) == MANY
    assert await scene.count("receipts", tenant_id) == 0
    assert admission_of(await scene.commits.admit(said(tenant_id))).created == 1


class _Uncopyable(Exception):
    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} in {where}")


async def test_a_failure_that_cannot_be_copied_reaches_each(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: Any) -> Any:
        raise _Uncopyable("a defect", "our code")

    for asks in (admit, group_commit):
        monkeypatch.setattr(asks, "find_owners", crash)
    body = {"object": "page", "entry": [page_entry("660077", ("c", "Cho tôi báo giá"))]}
    for outcome in await outcomes([asyncio.create_task(scene.commits.admit(incoming(body))) for _ in range(3)]):
        assert isinstance(outcome, RuntimeError)
        assert isinstance(outcome.__cause__, _Uncopyable)


def crash_in(monkeypatch: pytest.MonkeyPatch, tenant_id: UUID, error: Exception) -> None:
    """The next transaction that opens leads of this tenant ends there; those after it do not."""
    open_leads, crashes = admit.open_leads, [error]

    async def open_and_crash(session: TenantSession, of_tenant: UUID, drafts: Any) -> Any:
        opened = await open_leads(session, of_tenant, drafts)
        if of_tenant == tenant_id and crashes:
            raise crashes.pop()
        return opened

    monkeypatch.setattr(admit, "open_leads", open_and_crash)


async def test_the_database_away_and_back_again(server: EmbeddedServer, own_database: DatabaseAddresses) -> None:
    engine = app_engine(own_database.app, application_name="tests", pool_size=3)
    scene = await Scene.on(engine, own_database.owner)
    tenant_id = await new_tenant(engine)
    server.stop()
    deliveries = [said(tenant_id, f"m{number}") for number in range(MANY)]
    for outcome in await outcomes([asyncio.create_task(scene.commits.admit(delivery)) for delivery in deliveries]):
        assert_away(outcome)
    server.start()

    async def taken() -> bool:
        (outcome,) = await outcomes([asyncio.create_task(scene.commits.admit(deliveries[0]))])
        return not isinstance(outcome, Exception)

    await wait_until_async(taken, "deliveries are taken again")
    assert await scene.count("lead_signals", tenant_id) == 1
    assert (len(scene.line), len(scene.commits._at_work)) == (0, 0)
    await engine.dispose()


async def test_a_connection_lost_in_the_middle_is_lost_for_its_group_only(scene: Scene, tenant_id: UUID) -> None:
    async with scene.first_group_held() as (holding, first):
        holder = (await holding.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        next_ones = await scene.gather(*(said(tenant_id) for _ in range(3)))
        cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        assert len(await fetch(scene.owner_address, cut, holder)) == 1
        assert_away((await outcomes([first]))[0])
        assert [admission_of(outcome).created for outcome in await outcomes(next_ones)] == [1] * 3
    assert await scene.count("receipts", scene.held_tenant) == 0


async def test_a_commit_whose_answer_is_lost_is_found_by_the_next_delivery(
    scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit_together, losses = group_commit.admit_together, [True]

    async def admit_and_lose(*arguments: Any) -> Any:
        fates = await admit_together(*arguments)
        if losses:
            losses.pop()
            raise ConnectionResetError("after the commit")
        return fates

    monkeypatch.setattr(group_commit, "admit_together", admit_and_lose)
    (lost,) = await outcomes([asyncio.create_task(scene.commits.admit(said(tenant_id, "m")))])
    assert_away(lost)
    again = admission_of(await scene.commits.admit(said(tenant_id, "m")))
    assert (again.created, again.duplicate, await scene.count("lead_signals", tenant_id)) == (0, 1, 1)


async def test_a_tenant_that_others_hold_makes_its_neighbours_wait_no_longer_than_our_patience(
    scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbours = [await new_tenant(scene.engine) for _ in range(3)]
    monkeypatch.setattr(lock_patience, "LOCK_PATIENCE", "200ms")
    async with tenant_session(scene.engine, tenant_id) as holding:
        await hold_history(holding, tenant_id, changing=True)
        deliveries = [said(tenant_id, "a"), *map(said, neighbours), said(tenant_id, "b")]
        first, *theirs, last = await outcomes([asyncio.create_task(scene.commits.admit(delivery)) for delivery in deliveries])
        assert [admission_of(outcome).created for outcome in theirs] == [1] * 3
        for outcome in (first, last):
            assert_held_up(outcome)
    assert await scene.count("receipts", tenant_id) == 0
    assert admission_of(await scene.commits.admit(said(tenant_id, "a"))).created == 1


async def test_a_poisoned_delivery_of_a_tenant_that_others_hold_waits_no_longer_either(
    scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_patience, "LOCK_PATIENCE", "200ms")
    async with tenant_session(scene.engine, tenant_id) as adding:
        await hold_history(adding, tenant_id, changing=False)  # a batch may pass, one by one may not
        (outcome,) = await outcomes([asyncio.create_task(scene.commits.admit(poisoned(said(tenant_id))))])
        assert_held_up(outcome)
    assert admission_of(await scene.commits.admit(poisoned(said(tenant_id)))).quarantined.total() == 1


async def test_who_is_held_up_hears_that_it_is_no_outage_and_when_to_come_back(
    database: DatabaseAddresses, scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_patience, "LOCK_PATIENCE", "200ms")
    async with open_door(database.app) as client:
        before = await metric(client, "lead_signals_deliveries_total", answer="held_up")
        async with tenant_session(scene.engine, tenant_id) as holding:
            await hold_history(holding, tenant_id, changing=True)
            answer = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(tenant_id)})
        assert_refused(answer, 503, "Somebody holds this tenant's rows", "send this delivery again")
        assert answer.headers["retry-after"] == "5"
        assert await metric(client, "lead_signals_deliveries_total", answer="held_up") == before + 1
        again = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(tenant_id)})
        assert again.json()["created"] == 1


async def test_the_victim_of_a_deadlock_is_written_after_all(scene: Scene, database: DatabaseAddresses) -> None:
    """Somebody takes two tenants in the wrong order. His deadlock_timeout is long, so PostgreSQL ends our transaction."""
    lower, upper = sorted([await new_tenant(scene.engine), await new_tenant(scene.engine)])
    other = app_engine(database.owner, application_name="tests", pool_size=1)
    async with other.connect() as connection:
        await connection.execute(text("SET ROLE NONE"))
        await connection.execute(text("SET deadlock_timeout = '60s'"))
        await connection.commit()
        wrong = TenantSession(connection)
        await hold_history(wrong, upper, changing=True)
        with captured_logs() as logs:
            async with scene.first_group_held() as (_, first):
                tasks = await scene.gather(said(lower), said(upper))
            await first
            await wait_until_somebody_waits_for(connection, scene.owner_address)
            await hold_history(wrong, lower, changing=True)  # comes when ours has given way
            await connection.rollback()
            assert [admission_of(outcome).created for outcome in await outcomes(tasks)] == [1, 1]
    assert [event["error"] for event in logs.events("group_failed")] == ["DeadlockDetectedError"]
    await other.dispose()


async def test_a_database_that_falls_silent_is_away(scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is stopped in the middle: the connection stands, and nothing ever comes."""
    open_leads, stopped = admit.open_leads, list[int]()

    async def open_and_stop(session: TenantSession, of_tenant: UUID, drafts: Any) -> Any:
        opened = await open_leads(session, of_tenant, drafts)
        if not stopped:
            stopped.append((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())
            os.kill(stopped[0], signal.SIGSTOP)
        return opened

    monkeypatch.setattr(admit, "open_leads", open_and_stop)
    monkeypatch.setattr(group_commit, "MOST_SECONDS", 1.0)
    try:
        (silent,) = await outcomes([asyncio.create_task(scene.commits.admit(said(tenant_id, "m")))])
        assert_away(silent)
        assert admission_of(await scene.commits.admit(said(await new_tenant(scene.engine)))).created == 1
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert admission_of(await scene.commits.admit(said(tenant_id, "m"))).created == 1
