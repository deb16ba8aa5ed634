"""Who may wait in the line, and whose turn it is: a flood of one tenant, or of invented ones, leaves the others room and turns."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import http_app
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import group_commit
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.waiting_line import WaitingLine
from lead_signals.leads.hold_history import hold_history
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import comment
from tests.intake.gathering import POLICY, Scene, admission_of, incoming, new_tenant, outcomes, said
from tests.intake.open_door import WEBHOOK, assert_refused, fetch, metric, open_door
from tests.intake.page_deliveries import page_entry
from tests.leads.lock_waits import wait_until_somebody_waits_for
from tests.waiting import wait_until_async

pytestmark = pytest.mark.usefixtures("patient_with_locks")


async def test_one_tenants_flood_leaves_room_for_another_in_the_next_group(
    engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MOST_DELIVERIES", 2)
    scene = await Scene.on(engine, database.owner, WaitingLine(most_waiting=8))
    flooding, quiet = await new_tenant(engine), await new_tenant(engine)
    for tenant_id in (flooding, quiet):
        await scene.commits.admit(said(tenant_id))
    async with scene.first_group_held() as (_, first):
        flood = await scene.gather(*(said(flooding) for _ in range(4)))
        with pytest.raises(RefusedRequest) as full:
            await scene.commits.admit(said(flooding))
        (late,) = await scene.gather(said(quiet, "late"))
    await first
    assert (full.value.status, full.value.reason) == (503, "line_full")
    assert [admission_of(outcome).created for outcome in await outcomes([*flood, late])] == [1] * 5
    order = await fetch(
        scene.owner_address, "SELECT array_agg(tenant_id) AS wrote FROM receipts WHERE tenant_id = ANY($1) GROUP BY received_at"
        " ORDER BY received_at", [flooding, quiet],
    )  # fmt: skip
    assert [sorted(group["wrote"]) for group in order[2:]] == [sorted([flooding, quiet]), [flooding] * 2, [flooding]]


async def test_inventing_tenants_brings_no_more_turns(engine: AsyncEngine, database: DatabaseAddresses) -> None:
    scene = await Scene.on(engine, database.owner, WaitingLine(most_waiting=8))
    known = await new_tenant(engine)
    await scene.commits.admit(said(known))
    async with scene.first_group_held() as (_, first):
        inventing = await scene.gather(*(said(uuid4()) for _ in range(4)))
        with pytest.raises(RefusedRequest, match="Too many deliveries"):
            await scene.commits.admit(said(uuid4()))
        (theirs,) = await scene.gather(said(known))
    await first
    assert {getattr(outcome, "reason", outcome) for outcome in await outcomes(inventing)} == {"unknown_tenant"}
    assert admission_of(await theirs).created == 1


async def test_all_pages_of_a_tenant_stand_in_one_lane(engine: AsyncEngine, database: DatabaseAddresses) -> None:
    scene = await Scene.on(engine, database.owner, WaitingLine(most_waiting=8))
    tenant_id, pages = await new_tenant(engine), [f"66{uuid4().int % 10**13}" for _ in range(5)]
    async with tenant_session(engine, tenant_id) as session:
        for page in pages:
            await connect_channel(session, tenant_id, platform="facebook", external_id=page)

    def on(page: str) -> Any:
        return incoming({"object": "page", "entry": [page_entry(page, (uuid4().hex, "Cho tôi báo giá"))]}, signed=True)

    for page in pages:
        await scene.commits.admit(on(page))
    async with scene.first_group_held() as (_, first):
        tasks = await scene.gather(*(on(page) for page in pages[:4]))
        for delivery in (on(pages[4]), said(tenant_id)):
            with pytest.raises(RefusedRequest, match="Too many deliveries"):
                await scene.commits.admit(delivery)
    await outcomes([first, *tasks])


async def test_who_comes_while_a_hand_is_held_up_is_served_by_another(
    engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also right after the other one served somebody and left: that it was quick says nothing about the one that is held up."""
    held = await Scene.on(engine, database.owner)
    scene = replace(held, commits=GroupCommit(engine, POLICY, held.line, hands=2))
    monkeypatch.setattr(group_commit, "HELP_AFTER_SECONDS", 0.0)
    async with scene.first_group_held() as (_, first):
        monkeypatch.setattr(group_commit, "HELP_AFTER_SECONDS", 60.0)
        async with asyncio.timeout(20):
            for _ in range(3):
                assert admission_of(await scene.commits.admit(said(tenant_id))).created == 1
    await first


async def test_who_waits_already_is_served_when_the_hand_is_held_up(
    engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = await Scene.on(engine, database.owner)
    scene = replace(held, commits=GroupCommit(engine, POLICY, held.line, hands=2))
    monkeypatch.setattr(group_commit, "HELP_AFTER_SECONDS", 1.0)
    async with scene.first_group_held() as (_, first):
        tasks = [asyncio.create_task(scene.commits.admit(said(tenant_id))) for _ in range(2)]
        assert [admission_of(outcome).created for outcome in await outcomes(tasks)] == [1, 1]
    assert admission_of(await first).created == 1


async def test_a_full_line_is_a_503_that_says_when_to_come_back(
    engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = WaitingLine(most_waiting=3)
    monkeypatch.setattr(http_app, "GroupCommit", lambda engine, policy, packs: GroupCommit(engine, policy, line, hands=1, packs=packs))
    tenants = [await new_tenant(engine) for _ in range(2)]

    async with open_door(database.app) as client:

        async def send(tenant_id: UUID, comment_id: str) -> httpx.Response:
            return await client.post(WEBHOOK, json=comment(comment_id), headers={"X-Tenant-ID": str(tenant_id)})

        async def stand(count: int) -> None:
            async def they_stand() -> bool:
                return len(line) == count

            await wait_until_async(they_stand, f"{count} deliveries stand in the line")

        for tenant_id in tenants:
            assert (await send(tenant_id, "before")).status_code == 200
        refused_before = await metric(client, "lead_signals_deliveries_total", answer="line_full")
        async with tenant_session(engine, tenants[0]) as holding:
            await hold_history(holding, tenants[0], changing=True)
            answers = [asyncio.create_task(send(tenants[0], "written"))]
            await wait_until_somebody_waits_for(holding, database.owner)
            for number, tenant_id in enumerate((tenants[0], tenants[0], tenants[1])):
                answers.append(asyncio.create_task(send(tenant_id, f"waits{number}")))
                await stand(number + 1)
            refused = [await send(tenant_id, "too late") for tenant_id in tenants]
            assert await metric(client, "lead_signals_waiting_deliveries") == 3
            assert (await client.get("/health")).status_code == 200
        assert [(await answer).status_code for answer in answers] == [200] * 4
        for answer in refused:
            assert_refused(answer, 503, "Too many deliveries")
            assert answer.headers["retry-after"] == "5"
        assert await metric(client, "lead_signals_deliveries_total", answer="line_full") == refused_before + 2
        assert (await send(tenants[1], "too late")).json()["created"] == 1
    rows = await fetch(database.owner, "SELECT external_message_id FROM lead_signals WHERE tenant_id = $1", tenants[0])
    assert sorted(row[0] for row in rows) == ["before", "waits0", "waits1", "written"]
