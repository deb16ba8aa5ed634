"""What `serve` does when the demo fails, and how many connections one API takes."""

import resource
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from lead_signals import serve
from lead_signals.cli import CONNECTIONS_AT_ONCE, OPEN_FILES
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.settings import read_settings
from tests.product import free_port, product_on
from tests.waiting import wait_until


class _Unwilling(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_error(503, "Not today")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def unwilling_server() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Unwilling) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.parametrize("key", ["", "khoa-van-hanh-4711"])
def test_the_welcome_of_an_empty_house_onboards_with_the_operators_key_where_one_is_set(
    key: str, fresh_database: DatabaseAddresses
) -> None:
    said: list[str] = []
    options = serve.ServeOptions("127.0.0.1", 8000, None, True, False)
    serve._welcome(read_settings({"OPERATOR_API_KEY": key}), options, fresh_database, said.append, None)
    (curl,) = [line for line in said[0].splitlines() if line.startswith("curl ")]
    # As a shell reads it, with the variable in its environment: the second word of each -H.
    script = f"curl() {{ printf '%s\\n' \"$@\"; }}\n{curl}"
    words = subprocess.run(
        ["bash", "-c", script], env={"OPERATOR_API_KEY": key}, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sent = [words[place + 1] for place, word in enumerate(words) if word == "-H"]
    assert sent == ["Content-Type: application/json", *([f"Authorization: Bearer {key}"] if key else [])]
    assert not key or key not in said[0], "a terminal remembers what it showed"


@pytest.mark.parametrize(("there", "reason"), [(True, "answered 503"), (False, "refused")])
def test_a_demo_that_fails_is_one_sentence(there: bool, reason: str) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(unwilling_server()) if there else free_port()
        said: list[str] = []
        serve._send_demo(read_settings({}), serve.ServeOptions("127.0.0.1", port, None, False, False), said.append)
    (sentence,) = said
    assert sentence.startswith("The demo was not taken (")
    assert reason in sentence
    assert sentence.endswith(f"lead-signals demo --url http://127.0.0.1:{port}, or go on without it.")


def test_the_listener_is_reached_by_both_families_where_it_stands_for_every_address() -> None:
    try:
        listener = serve.listen("::", port := free_port())
    except serve.ServeError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with listener:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=5).close()


def test_above_a_thousand_connections_the_api_says_503_and_recovers(fresh_database: DatabaseAddresses, tmp_path: Path) -> None:
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < OPEN_FILES:
        pytest.skip(f"this machine allows {most} open files only")
    with ExitStack() as stack, product_on(fresh_database, tmp_path) as product:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, most))  # what most shells give
        try:
            api = product.start_api()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, 2048) if now != resource.RLIM_INFINITY else now, most))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (now, most))
        assert psutil.Process(api.pid).rlimit(psutil.RLIMIT_NOFILE)[0] == OPEN_FILES
        port = int(api.base_url.rpartition(":")[2])
        with ExitStack() as idle:
            for _ in range(CONNECTIONS_AT_ONCE):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert _status(port) == b"HTTP/1.1 503 Service Unavailable"
        wait_until(lambda: _status(port) == b"HTTP/1.1 200 OK", "the idle connections are gone")


def _status(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as answer:
            return answer.readline().strip()
