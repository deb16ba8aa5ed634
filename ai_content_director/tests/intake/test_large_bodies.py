"""A few large bodies at a time, one sender's never before everybody else's, and none for a sender that has gone."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import webhook_routes
from lead_signals.intake.large_bodies import LargeBodies
from lead_signals.request_body import LARGE_BODY_BYTES, RefusedRequest
from tests.deliveries import comment
from tests.intake.open_door import WEBHOOK, assert_refused, open_door

A, B = "sender a", "sender b"


async def test_who_comes_when_the_room_is_full_is_sent_away_and_let_in_once_somebody_left() -> None:
    room = LargeBodies(2, patience_seconds=0.01)
    async with AsyncExitStack() as inside:
        for _ in range(2):
            take = await inside.enter_async_context(room.visit())
            await take()
            await take()  # more of the same body takes no more room
        async with room.visit() as take:
            with pytest.raises(RefusedRequest) as refused:
                await take()
        assert (refused.value.status, refused.value.reason) == (503, "line_full")
    async with room.visit() as take:
        await take()


async def test_a_small_body_takes_no_room() -> None:
    room = LargeBodies(1, patience_seconds=0.01)
    async with room.visit(), room.visit() as take:
        await take()


async def test_one_sender_has_half_of_the_room_at_most() -> None:
    room = LargeBodies(4, patience_seconds=0.01)
    async with AsyncExitStack() as inside:
        for _ in range(2):
            await (await inside.enter_async_context(room.visit(A)))()
        third = await inside.enter_async_context(room.visit(A))
        with pytest.raises(RefusedRequest):
            await third()
        await (await inside.enter_async_context(room.visit(B)))()
    async with room.visit(A) as take:
        await take()


async def test_large_bodies_of_one_sender_take_turns_and_others_do_not_wait() -> None:
    room, began, go_on = LargeBodies(), list[str](), asyncio.Event()

    async def judge(sender: str, name: str) -> None:
        async with room.turn_of(sender):
            began.append(name)
            await go_on.wait()

    async with asyncio.TaskGroup() as tasks:
        for sender, name in ((A, "a1"), (A, "a2"), (B, "b1")):
            tasks.create_task(judge(sender, name))
        while len(began) < 2:
            await asyncio.sleep(0)
        assert began == ["a1", "b1"]
        go_on.set()
    assert began == ["a1", "b1", "a2"]
    assert room._turns == {}


async def test_the_door_sends_a_large_body_away_and_takes_the_small_ones(
    database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = LargeBodies(1, patience_seconds=0.01)
    monkeypatch.setattr(webhook_routes, "LargeBodies", lambda: full)
    headers = {"X-Tenant-ID": str(tenant_id)}
    large = {**comment("large"), "padding": "x" * LARGE_BODY_BYTES}
    async with open_door(database.app) as client, full.visit() as take:
        await take()
        answer = await client.post(WEBHOOK, json=large, headers=headers)
        assert_refused(answer, 503, "large deliveries")
        assert answer.headers["retry-after"] == "5"
        assert (await client.post(WEBHOOK, json=comment("small"), headers=headers)).json()["created"] == 1
    async with open_door(database.app) as client:
        assert (await client.post(WEBHOOK, json=large, headers=headers)).json()["created"] == 1
