"""A real receiver of follow-ups on loopback, n8n's understudy: it keeps every arrival, and answers as the test has scripted.

Scripts are written per tenant (`tenant_id` of the body), so that many tests may share one receiver and one worker.
"""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

Answer = Callable[["Exchange"], None]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it came in. Header names are in lower case; `at` is a time of `time.monotonic`."""

    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        """The body as an object."""
        return cast("dict[str, Any]", json.loads(self.body))


class Exchange:
    """What an answer may do with the connection its request came on."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self.closing = closing
        self.sent_bytes = 0
        self.keep_connection = True
        self._connection = connection

    def send(self, raw: bytes) -> None:
        """Write bytes as they are. Raises OSError when the other side has gone."""
        self._connection.sendall(raw)
        self.sent_bytes += len(raw)

    def reset(self) -> None:
        """End the connection by RST, in the middle of whatever was being said."""
        self.keep_connection = False
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self._connection.close()


def ok(exchange: Exchange) -> None:
    """The answer of a receiver that is well."""
    exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b'{"ok":true}')


class Receiver:
    """Listens on a free port of loopback from the beginning of the block to its end; with TLS when it is given what that needs."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.closing = threading.Event()
        self._changed = threading.Condition()
        self._arrivals: list[Arrival] = []
        self._scripts: dict[str, list[Answer]] = {}
        self._exchanges: list[Exchange] = []
        self._gates: list[threading.Event] = []
        self._server = _Server(("127.0.0.1", 0), self)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/webhook/lead"

    def script(self, tenant_id: str, *answers: Answer) -> None:
        """Answer this tenant's next requests so, in this order; the last answer stays. Unscripted tenants hear 200."""
        with self._changed:
            self._scripts[tenant_id] = list(answers)

    def gate(self) -> threading.Event:
        """Something for `held` to wait for; also opened when the receiver closes."""
        self._gates.append(gate := threading.Event())
        return gate

    def arrivals(self, tenant_id: str | None = None) -> Sequence[Arrival]:
        """What has come in so far, in order: of one tenant, or of all."""
        with self._changed:
            return [arrival for arrival in self._arrivals if tenant_id is None or tenant_id == arrival.said["tenant_id"]]

    def wait_for(self, count: int, tenant_id: str | None = None, deadline_seconds: float = 30.0) -> Sequence[Arrival]:
        """The arrivals, once there are at least `count`. Raises AssertionError after `deadline_seconds`."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.arrivals(tenant_id)) >= count, deadline_seconds)
        arrived = self.arrivals(tenant_id)
        assert enough, f"waited {deadline_seconds:g} s for {count} arrivals; {len(arrived)} came"
        return arrived

    def exchanges(self) -> Sequence[Exchange]:
        """The answering sides of all arrivals so far, in order."""
        with self._changed:
            return list(self._exchanges)

    def take(self, arrival: Arrival, exchange: Exchange) -> Answer:
        """Note an arrival before anything is answered, and say which answer is its turn."""
        with self._changed:
            self._arrivals.append(arrival)
            self._exchanges.append(exchange)
            script = self._scripts.get(arrival.said["tenant_id"], [ok])
            answer = script.pop(0) if len(script) > 1 else script[0]
            self._changed.notify_all()
        return answer

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for waited_for in (self.closing, *self._gates):
            waited_for.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        super().__init__(address, _Handler)
        self.receiver = receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error of ours: some tests kill theirs."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        receiver = cast("_Server", self.server).receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        if len(body) < int(self.headers["content-length"]):
            self.close_connection = True  # whoever was sending it has died: half a request is none
            return
        arrival = Arrival({name.lower(): value for name, value in self.headers.items()}, body, time.monotonic())
        exchange = Exchange(self.connection, receiver.closing)
        answer = receiver.take(arrival, exchange)
        try:
            answer(exchange)
        finally:
            self.close_connection = not exchange.keep_connection

    def log_message(self, *_: Any) -> None:
        """Quiet: the arrivals are the log."""
