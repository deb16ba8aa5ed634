"""Connections that have passed the guard, twice: when the name is resolved, and when the socket is made.

The name is resolved once for a connection, all its answers are judged, and the socket goes to one of those; TLS and the Host header keep
the name. So an answer that changes between check and call changes nothing (DNS rebinding). The second check sees the very address of
each connection, also where none was resolved because the host is one.
"""

import socket
import ssl
from functools import partial
from typing import Any

from aiohttp import AddrInfoType, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client import ClientSession, ClientTimeout
from aiohttp.client_proto import ResponseHandler

from lead_signals.allowed_hosts import AllowedHosts
from lead_signals.followups.destinations.bounded_answer import BoundedAnswer
from lead_signals.followups.destinations.guard import refuse_address
from lead_signals.followups.destinations.name_look_up import NameLookUp

# Node, and so n8n, closes a connection after 5 idle seconds: a POST that meets the closing would be a failure of nobody.
IDLE_SECONDS = 4.0
READ_BUFFER_BYTES = 16 * 1024


class RefusedAddressError(OSError):
    """The guard said no; one word says why. Nothing was sent."""


def guarded_session(look_up: NameLookUp, tls: ssl.SSLContext, allowed: AllowedHosts | None) -> ClientSession:
    """A client that connects where the guard lets it; `allowed` None is for hosts the operator names, which may be anywhere.

    No redirects (the caller says so for each call), no proxies, no cookies, nothing unpacked, no answer without end; no time limit, for
    that is the caller's.
    """
    connector = _Connections(
        resolver=_GuardedResolver(look_up, allowed),
        use_dns_cache=False,
        socket_factory=None if allowed is None else _Sockets(allowed),
        ssl=tls,
        limit=0,  # how many at once is the gates' word
        keepalive_timeout=IDLE_SECONDS,
    )
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=ClientTimeout(total=None, connect=None, sock_read=None, sock_connect=None),
        read_bufsize=READ_BUFFER_BYTES,
    )


class _Connections(TCPConnector):
    """Each speaks through a BoundedAnswer. The client has no word for it but this one, which a test watches over."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        bounded: type[ResponseHandler] = BoundedAnswer
        self._factory = partial(bounded, loop=self._loop)


class _GuardedResolver(AbstractResolver):
    def __init__(self, look_up: NameLookUp, allowed: AllowedHosts | None) -> None:
        self._look_up = look_up
        self._allowed = allowed

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        addresses = await self._look_up.addresses(host)
        if self._allowed is not None:
            for address in addresses:  # one bad answer spoils them all: an honest name has none
                if (word := refuse_address(address, self._allowed, port)) is not None:
                    raise RefusedAddressError(word)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=_family(address), proto=0, flags=socket.AI_NUMERICHOST)
            for address in addresses
        ]

    async def close(self) -> None:
        """The look-up is not ours alone."""


class _Sockets:
    """Makes the socket for an address, or refuses it."""

    def __init__(self, allowed: AllowedHosts) -> None:
        self._allowed = allowed

    def __call__(self, info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, sockaddr = info
        if (word := refuse_address(str(sockaddr[0]), self._allowed, int(sockaddr[1]))) is not None:
            raise RefusedAddressError(word)
        return socket.socket(family=family, type=kind, proto=protocol)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
