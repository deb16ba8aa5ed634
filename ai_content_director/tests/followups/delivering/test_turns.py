"""Turns before a gate: how much is claimed ahead, who goes when, and what happens to those who wait as it shuts."""

import asyncio
from uuid import UUID

import pytest

from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.delivering.turns import Turns
from tests.followups.delivering.at_the_desk import DELIVERED, GIVE_UP

N8N = UUID(int=21)


@pytest.fixture
def wide_open() -> Turns:
    """Turns of an endpoint that has taken so many that 20 may run at once."""
    gates = EndpointGates(most_at_once=20)
    for _ in range(30):
        gates.begin(N8N)
        gates.end(N8N, DELIVERED)
    assert gates.room(N8N) == 20
    return Turns(gates)


def test_of_an_endpoint_that_is_not_known_little_is_claimed_and_nothing_ahead() -> None:
    gates = EndpointGates()
    assert Turns(gates).claimable(N8N) == gates.room(N8N) == 2


async def test_of_one_that_takes_many_as_many_again_are_claimed_ahead(wide_open: Turns) -> None:
    assert wide_open.claimable(N8N) == 40
    begun = [asyncio.create_task(wide_open.begin(N8N)) for _ in range(32)]
    await asyncio.sleep(0)
    assert sum(task.done() for task in begun) == 20
    assert wide_open.claimable(N8N) == 8
    assert wide_open.claimable(N8N, only_portions=True) == 0, "not worth a transaction while others wait and run"
    for _ in range(2):
        wide_open.end(N8N, DELIVERED)
    assert wide_open.claimable(N8N, only_portions=True) == 10
    await asyncio.sleep(0)
    assert sum(task.done() for task in begun) == 22
    for _ in range(30):
        wide_open.end(N8N, DELIVERED)
    assert await asyncio.gather(*begun) == [True] * 32
    assert wide_open.claimable(N8N) == 40


async def test_turns_come_in_the_order_of_asking(wide_open: Turns) -> None:
    went: list[int] = []

    async def go(number: int) -> None:
        assert await wide_open.begin(N8N)
        went.append(number)

    tasks = [asyncio.create_task(go(number)) for number in range(23)]
    await asyncio.sleep(0)
    for _ in range(23):
        wide_open.end(N8N, DELIVERED)
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert went == list(range(23))


async def test_when_the_gate_shuts_who_waits_goes_back_once_the_last_call_has_ended(wide_open: Turns) -> None:
    begun = [asyncio.create_task(wide_open.begin(N8N)) for _ in range(25)]
    await asyncio.sleep(0)
    wide_open.end(N8N, GIVE_UP)
    await asyncio.sleep(0)
    assert sum(task.done() for task in begun) == 20, "nobody goes through a shut gate"
    for _ in range(19):
        wide_open.end(N8N, DELIVERED)
    assert await asyncio.gather(*begun) == [True] * 20 + [False] * 5
    assert not await wide_open.begin(N8N)
    assert wide_open.claimable(N8N) == 0


async def test_who_is_called_off_while_it_waits_leaves_its_turn_to_the_next(wide_open: Turns) -> None:
    begun = [asyncio.create_task(wide_open.begin(N8N)) for _ in range(22)]
    await asyncio.sleep(0)
    begun[20].cancel()
    wide_open.end(N8N, DELIVERED)
    assert await begun[21]
    for _ in range(20):
        wide_open.end(N8N, DELIVERED)
    assert wide_open.claimable(N8N) == 40


async def test_who_is_called_off_as_its_turn_has_come_gives_it_up(wide_open: Turns) -> None:
    begun = [asyncio.create_task(wide_open.begin(N8N)) for _ in range(21)]
    await asyncio.sleep(0)
    wide_open.end(N8N, DELIVERED)
    begun[20].cancel()
    with pytest.raises(asyncio.CancelledError):
        await begun[20]
    for _ in range(19):
        wide_open.end(N8N, DELIVERED)
    assert wide_open.claimable(N8N) == 40, "its place at the gate is free again"


async def test_told_to_stop_who_waits_hears_so_at_once_and_nothing_begins_any_more(wide_open: Turns) -> None:
    begun = [asyncio.create_task(wide_open.begin(N8N)) for _ in range(25)]
    await asyncio.sleep(0)
    wide_open.stop()
    assert await asyncio.gather(*begun) == [True] * 20 + [False] * 5, "while the twenty are still being sent"
    assert not await wide_open.begin(N8N)
    assert not await wide_open.begin(UUID(int=22)), "nowhere else either"
    for _ in range(20):
        wide_open.end(N8N, DELIVERED)
    assert wide_open.claimable(N8N) == 0
    assert not await wide_open.begin(N8N)


async def test_whose_turn_comes_as_the_end_does_begins_nothing(wide_open: Turns) -> None:
    begun = [asyncio.create_task(wide_open.begin(N8N)) for _ in range(21)]
    await asyncio.sleep(0)
    wide_open.end(N8N, DELIVERED)
    wide_open.stop()
    assert await asyncio.gather(*begun) == [True] * 20 + [False]


async def test_the_loop_is_told_of_each_end(wide_open: Turns) -> None:
    await wide_open.begin(N8N)
    wide_open.freed.clear()
    wide_open.end(N8N, None)
    assert wide_open.freed.is_set()
