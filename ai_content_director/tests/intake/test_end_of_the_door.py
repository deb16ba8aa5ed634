"""The process ends while deliveries are written and others wait: each is answered, and what was not written says so."""

import asyncio
import socket
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import http_app
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.http_app import make_app
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.waiting_line import WaitingLine
from lead_signals.leads.hold_history import hold_history
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import read_settings
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import comment
from tests.intake.gathering import Scene, admission_of, outcomes, said
from tests.intake.open_door import WEBHOOK
from tests.leads.lock_waits import wait_until_somebody_waits_for
from tests.waiting import wait_until_async


async def test_a_process_that_ends_leaves_nobody_waiting(scene: Scene, tenant_id: UUID) -> None:
    async with scene.first_group_held() as (_, first):
        waiting = await scene.gather(said(tenant_id), said(tenant_id))
        for hand in scene.commits._at_work:
            hand.cancel()
        for outcome in await outcomes([first, *waiting]):
            assert isinstance(outcome, RefusedRequest)
            assert (outcome.status, outcome.reason) == (503, "ending")
        assert (len(scene.line), len(scene.commits._at_work)) == (0, 0)
    assert await scene.count("receipts", scene.held_tenant) == await scene.count("receipts", tenant_id) == 0
    assert admission_of(await scene.commits.admit(said(tenant_id))).created == 1


async def test_a_hand_that_never_began_leaves_nobody_waiting(scene: Scene, tenant_id: UUID) -> None:
    cancelled: list[Any] = []

    def cancel_at_once(loop: asyncio.AbstractEventLoop, coroutine: Any, **context: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **context)
        if coroutine.__name__ == "_write_until_nobody_waits" and not cancelled:
            cancelled.append(task.cancel())
        return task

    loop = asyncio.get_running_loop()
    admitting = asyncio.create_task(scene.commits.admit(said(tenant_id)))
    loop.set_task_factory(cancel_at_once)
    try:
        (outcome,) = await outcomes([admitting])
    finally:
        loop.set_task_factory(None)
    assert cancelled == [True]
    assert isinstance(outcome, RefusedRequest)
    assert outcome.status == 503
    assert admission_of(await scene.commits.admit(said(tenant_id))).created == 1


async def test_an_orderly_end_answers_all_that_wait(
    engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch, patient_with_locks: None
) -> None:
    line = WaitingLine()
    monkeypatch.setattr(http_app, "GroupCommit", lambda engine, policy, packs: GroupCommit(engine, policy, line, hands=1, packs=packs))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(make_app(database.app, read_settings({})), log_config=None, timeout_graceful_shutdown=15)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30, trust_env=False) as client:
        headers = {"X-Tenant-ID": str(tenant_id)}
        async with tenant_session(engine, tenant_id) as holding:
            await hold_history(holding, tenant_id, changing=True)
            answers = [asyncio.create_task(client.post(WEBHOOK, json=comment("first"), headers=headers))]
            await wait_until_somebody_waits_for(holding, database.owner)
            answers += [asyncio.create_task(client.post(WEBHOOK, json=comment(f"m{number}"), headers=headers)) for number in range(4)]

            async def they_stand() -> bool:
                return len(line) == 4

            await wait_until_async(they_stand, "the others stand in the line")
            server.should_exit = True

            async def door_is_closed() -> bool:
                return not server.servers[0].is_serving()

            await wait_until_async(door_is_closed, "the server takes nobody in any more")
        assert [(await answer).json()["created"] for answer in answers] == [1] * 5
    async with asyncio.timeout(20):
        await serving
    assert len(line) == 0
