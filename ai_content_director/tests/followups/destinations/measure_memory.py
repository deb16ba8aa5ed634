"""`python measure_memory.py PORT…`: send to bad receivers on these ports, of which the first is well and the second
answers a gigabyte; print how memory grew."""

import asyncio
import json
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.destinations.outbound import open_outbound
from lead_signals.settings import read_settings

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
ROUNDS = 34


async def measure(ports: list[int]) -> dict[str, int]:
    async with open_outbound(read_settings({})) as out:
        good, gigabyte, *bad = [out.webhook(f"http://127.0.0.1:{port}/", (), trusted=True) for port in ports]
        for _ in range(100):
            await good.send("msg_0", b"{}", at=AT)
        with _watched() as seen:
            await gigabyte.send("msg_1", b"{}", at=AT)
            for number in range(ROUNDS):
                await asyncio.gather(*(_send(destination, number) for destination in bad))
        return {"grown_bytes": seen[-1] - seen[0], "answers": ROUNDS * len(bad)}


async def _send(destination: Destination, number: int) -> None:
    outcome = await destination.send(f"msg_{number}", b"{}", at=AT)
    if outcome.kind != "try_again":
        raise AssertionError(outcome)


@contextmanager
def _watched() -> Iterator[list[int]]:
    """What was resident at the beginning, and in the end the most that ever was meanwhile: looked at every few milliseconds."""
    seen, stop = [_resident_bytes()] * 2, threading.Event()

    def look() -> None:
        while not stop.wait(0.002):
            seen[-1] = max(seen[-1], _resident_bytes())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        stop.set()
        looking.join()


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


sys.stdout.write(json.dumps(asyncio.run(measure([int(port) for port in sys.argv[1:]]))))
