"""Look names up beside the event loop, so that a name server which hangs holds up those who asked it and nobody else."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

AT_ONCE: Final = 64
"""Look-ups under way. The C library gives up on a dead name server by itself, after 10 to 30 s."""

GetAddrInfo = Callable[..., Sequence[tuple[Any, ...]]]


class NameLookUp:
    """Addresses of names, asked anew each time: nothing is remembered, but who asks for the same name meanwhile gets the same answer.

    Each look-up has a daemon thread of its own rather than one of a pool: a pool's threads would be waited for when the process ends.
    """

    def __init__(self, getaddrinfo: GetAddrInfo = socket.getaddrinfo) -> None:
        self._getaddrinfo = getaddrinfo
        self._free = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[str, asyncio.Task[list[str]]] = {}

    async def addresses(self, name: str) -> list[str]:
        """Each address once, in the resolver's order. Raises OSError when there is none."""
        asking = self._under_way.get(name)
        if asking is None:
            asking = self._under_way[name] = asyncio.create_task(self._ask(name))
            asking.add_done_callback(lambda task: self._finish(name, task))
        return await asyncio.shield(asking)  # whoever stops waiting takes it from no one else

    def close(self) -> None:
        """Wait for nothing more. What still hangs ends with the process."""
        for asking in list(self._under_way.values()):
            asking.cancel()

    async def _ask(self, name: str) -> list[str]:
        loop = asyncio.get_running_loop()
        async with self._free:
            answer: asyncio.Future[list[str]] = loop.create_future()
            threading.Thread(target=self._look_up, args=(loop, answer, name), name="name-look-up", daemon=True).start()
            return await answer

    def _look_up(self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[str]], name: str) -> None:
        try:
            found = self._getaddrinfo(name, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            tell, told = answer.set_result, list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        except (OSError, UnicodeError) as error:
            problem = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "no name")
            tell, told = answer.set_exception, problem  # type: ignore[assignment]
        try:
            loop.call_soon_threadsafe(lambda: None if answer.done() else tell(told))
        except RuntimeError:
            return  # the loop has ended, and nobody waits any more

    def _finish(self, name: str, task: "asyncio.Task[list[str]]") -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # seen, also when whoever asked has gone
