"""Where a body begins and ends, on real sockets to a real server process: what lies about it is refused or cut, never stored."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import comment
from tests.door import Door
from tests.intake.open_door import fetch_now
from tests.product import Api, product_on

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def api(database: DatabaseAddresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with product_on(database, tmp_path_factory.mktemp("framing")) as product:
        yield product.start_api()


@pytest.fixture(scope="module")
def tenant(api: Api) -> str:
    with Door(api.base_url) as door:
        return door.onboard()


def exchange(api: Api, *pieces: bytes, hang_up_after_sending: bool = False) -> bytes:
    """Send these bytes on one connection and read what is answered until the server closes it."""
    address = urlsplit(api.base_url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=20)) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server said no before everything was sent
        if hang_up_after_sending:
            return b""
        answer = b""
        try:
            while received := connection.recv(65_536):
                answer += received
        except ConnectionResetError:
            pass  # closed with unread bytes of ours; what was answered before counts
        return answer


def head(tenant: str, *lines: str) -> bytes:
    common = ["POST /webhooks/facebook HTTP/1.1", "Host: test", f"X-Tenant-ID: {tenant}", "Connection: close"]
    return "\r\n".join([*common, *lines, "", ""]).encode()


def status_of(answer: bytes) -> int:
    """The status of the final answer; 100 Continue is none."""
    lines = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ") and not line.startswith(b"HTTP/1.1 100")]
    return int(lines[0].split()[1]) if lines else 0


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def receipts(database: DatabaseAddresses, tenant: str) -> int:
    return int(fetch_now(database.owner, "SELECT count(*) FROM receipts WHERE tenant_id = $1", tenant)[0]["count"])


def good() -> bytes:
    return json.dumps(comment(uuid4().hex)).encode()


def test_a_body_in_chunks_is_taken(api: Api, database: DatabaseAddresses, tenant: str) -> None:
    raw, before = good(), receipts(database, tenant)
    answer = exchange(api, head(tenant, "Transfer-Encoding: chunked"), chunked(raw[:7], raw[7:9], raw[9:]))
    assert status_of(answer) == 200
    assert receipts(database, tenant) == before + 1


def test_a_body_that_waits_for_leave_is_taken(api: Api, database: DatabaseAddresses, tenant: str) -> None:
    raw, before = good(), receipts(database, tenant)
    assert status_of(exchange(api, head(tenant, f"Content-Length: {len(raw)}", "Expect: 100-continue"), raw)) == 200
    assert receipts(database, tenant) == before + 1


REFUSED = {
    "chunks of more than 1 MiB": (["Transfer-Encoding: chunked"], chunked(*[b" " * 65_536] * 40), {413}),
    "a length above 1 MiB": ([f"Content-Length: {2 * MEBIBYTE}"], b" " * 2 * MEBIBYTE, {413}),
    "length and chunks at once": (["Content-Length: 4", "Transfer-Encoding: chunked"], chunked(b"{}"), {400}),
    "two lengths": (["Content-Length: 2", "Content-Length: 40"], b"{}", {400}),
    "a negative length": (["Content-Length: -2"], b"{}", {400}),
    "a length that is no number": (["Content-Length: 0x10"], b"{}", {400}),
    "a chunk that lies about its size": (["Transfer-Encoding: chunked"], b"ff\r\n{}\r\n0\r\n\r\n", {400, 0}),
    "a chunk size that is no number": (["Transfer-Encoding: chunked"], b"zz\r\n{}\r\n0\r\n\r\n", {400, 0}),
    "compressed by transfer coding": (["Transfer-Encoding: gzip, chunked"], chunked(b"\x1f\x8b\x08"), {400, 415, 501}),
    "compressed by content coding": (["Content-Encoding: gzip", "Content-Length: 2"], b"{}", {415}),
}


@pytest.mark.parametrize("row", REFUSED)
def test_a_lie_about_the_body_stores_nothing(row: str, api: Api, database: DatabaseAddresses, tenant: str) -> None:
    lines, body, statuses = REFUSED[row]
    before = receipts(database, tenant)
    if 0 in statuses:  # the server waits for the rest: hang up
        exchange(api, head(tenant, *lines), body, hang_up_after_sending=True)
    else:
        assert status_of(exchange(api, head(tenant, *lines), body)) in statuses
    assert_still_open(api, tenant)
    assert receipts(database, tenant) == before + 1


@pytest.mark.parametrize("lines", [["Content-Length: 400"], ["Transfer-Encoding: chunked"]], ids=["announced", "chunked"])
def test_a_body_that_breaks_off_is_not_stored(lines: list[str], api: Api, database: DatabaseAddresses, tenant: str) -> None:
    before = receipts(database, tenant)
    whole = good()
    exchange(
        api,
        head(tenant, *lines),
        whole if lines[0].startswith("Content") else b"%x\r\n%s" % (len(whole), whole),
        hang_up_after_sending=True,
    )
    assert_still_open(api, tenant)
    assert receipts(database, tenant) == before + 1


def test_a_refused_body_is_no_second_request(api: Api, database: DatabaseAddresses, tenant: str) -> None:
    before = receipts(database, tenant)
    raw = good()
    smuggled = head(tenant, f"Content-Length: {len(raw)}") + raw
    answer = exchange(
        api,
        head("nobody", f"Content-Length: {len(smuggled)}").replace(b"Connection: close\r\n", b""),
        smuggled,
        head(tenant, "Content-Length: 0"),
    )
    assert answer.count(b"HTTP/1.1 ") == 2
    assert receipts(database, tenant) == before


def assert_still_open(api: Api, tenant: str) -> None:
    """The same process takes the next delivery."""
    with Door(api.base_url) as door:
        assert len(door.send_well(tenant, uuid4().hex)) == 1
    assert api.is_running()
