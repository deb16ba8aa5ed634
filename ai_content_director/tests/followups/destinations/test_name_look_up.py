"""Looking names up: a name server that hangs holds up nobody else, and nothing is remembered."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from lead_signals.followups.destinations.name_look_up import AT_ONCE, NameLookUp
from lead_signals.followups.outcome import OutcomeKind
from tests.followups.destinations.conftest import AT, OpenOutbound
from tests.followups.destinations.raw_receiver import raw_receiver


def answer(*addresses: str) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


async def test_each_address_once_and_nothing_is_remembered() -> None:
    said = iter([answer("192.0.2.1", "192.0.2.1", "192.0.2.2"), answer("192.0.2.3")])
    look_up = NameLookUp(lambda *_, **__: next(said))
    assert await look_up.addresses("a") == ["192.0.2.1", "192.0.2.2"]
    assert await look_up.addresses("a") == ["192.0.2.3"]


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_AGAIN, "later"), UnicodeError("label too long")])
async def test_a_name_that_is_not_found_is_an_os_error(error: Exception) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    look_up = NameLookUp(fails)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await look_up.addresses("a")


async def test_who_asks_for_the_same_name_meanwhile_shares_the_answer_also_when_the_first_leaves() -> None:
    gate, asked = threading.Event(), []

    def slow(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        gate.wait(30)
        return answer("192.0.2.1")

    look_up = NameLookUp(slow)
    first, second = (asyncio.create_task(look_up.addresses("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == ["192.0.2.1"]
    assert (first.cancelled(), asked) == (True, ["a"])


async def test_a_hanging_name_takes_one_thread_however_many_ask(outbound: OpenOutbound) -> None:
    """A hundred attempts at one hanging name end in their time, and another tenant's goes through meanwhile."""
    gate, threads = threading.Event(), []

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        if host == "hangs.example.vn":
            threads.append(threading.current_thread())
            gate.wait(60)
        return answer("127.0.0.1")

    async with raw_receiver() as receiver, outbound(getaddrinfo=resolve, timeout_seconds=0.5, WEBHOOK_ALLOWED_HOSTS="good") as out:
        hanging = out.webhook("https://hangs.example.vn/", (), trusted=False)
        attempts = [asyncio.create_task(hanging.send("msg_1", b"{}", at=AT)) for _ in range(AT_ONCE + 36)]
        good = await out.webhook(f"http://good:{receiver.port}/", (), trusted=False).send("msg_2", b"{}", at=AT)
        assert good.kind is OutcomeKind.DELIVERED
        assert {(await attempt).error_class for attempt in attempts} == {"Timeout"}
    assert (len(threads), threads[0].daemon) == (1, True)
    gate.set()


async def test_at_most_so_many_at_once() -> None:
    gate, lock, running, most = threading.Event(), threading.Lock(), 0, 0
    full = threading.Event()

    def resolve(*_: Any, **__: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == AT_ONCE:
                full.set()
        gate.wait(30)
        with lock:
            running -= 1
        return answer("192.0.2.1")

    look_up = NameLookUp(resolve)
    asking = [asyncio.create_task(look_up.addresses(f"name{number}")) for number in range(AT_ONCE * 2)]
    assert await asyncio.to_thread(full.wait, 30)
    gate.set()
    assert await asyncio.gather(*asking) == [["192.0.2.1"]] * (AT_ONCE * 2)
    assert most == AT_ONCE
