"""Large bodies are worked on beside the event loop, so that one of them does not stop everybody else's answers."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from lead_signals.request_body import LARGE_BODY_BYTES

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Threads of our own, and only two: the loop's shared ones resolve host names for the database, and every busy thread makes the
# loop wait up to 5 ms for its turn at the interpreter.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="large-body")


async def beside_the_loop(
    body_bytes: int, work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """What `work` returns or raises. `body_bytes` is the size of the body it is about."""
    if body_bytes <= LARGE_BODY_BYTES:
        return work(*arguments, **named)
    return await off_the_loop(work, *arguments, **named)


async def off_the_loop(work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
    """What `work` returns or raises, however small the body."""
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(work, *arguments, **named))
