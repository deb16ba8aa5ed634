"""Waiting for the world to change: until a condition holds, with a deadline, never for a fixed while."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")

POLL_SECONDS = 0.03


def wait_until(condition: Callable[[], Seen], what: str, deadline_seconds: float = 30.0) -> Seen:
    """Ask `condition` until its answer is true, and return that answer. `what` completes "waited in vain until …".

    Raises AssertionError with the last answer when `deadline_seconds` have passed.
    """
    deadline, pause = time.monotonic() + deadline_seconds, threading.Event()
    while not (seen := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {deadline_seconds:g} s in vain until {what}; last seen: {seen!r}")
        pause.wait(POLL_SECONDS)
    return seen


async def wait_until_async(condition: Callable[[], Awaitable[Seen]], what: str, deadline_seconds: float = 30.0) -> Seen:
    """The same for a condition that must be awaited."""
    deadline = time.monotonic() + deadline_seconds
    while not (seen := await condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {deadline_seconds:g} s in vain until {what}; last seen: {seen!r}")
        await asyncio.sleep(POLL_SECONDS)
    return seen
