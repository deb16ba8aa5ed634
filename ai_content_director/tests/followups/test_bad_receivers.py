"""Receivers that hang, trickle, reset, redirect or babble: every attempt ends, is written down in one word, and the next is due later.

All of them are met at once, each as the endpoint of a tenant of its own, so that it takes as long as the slowest and none shuts the
gate of another. Then the worker stops, and what it left is looked at.
"""

import base64
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.door import Door
from tests.product import Product, product_on
from tests.receiver import Answer, Receiver
from tests.receiver_answers import (
    announces_a_gigabyte,
    hangs_after_headers,
    hangs_before_headers,
    resets,
    resets_in_the_body,
    status,
    talks_nonsense,
    trickles_body,
    trickles_headers,
)
from tests.waiting import wait_until

CLAMP_MS = 3000
NEVER_ENDS_MS = 30_000  # far above the clamp, and below what any of these receivers would take
HEARD_AT_MOST_BYTES = 16 * 1024 * 1024  # what kernels buffer for somebody who has stopped reading


@dataclass(frozen=True, slots=True)
class Meeting:
    """A receiver and what must come of it: the state it is left in, and of each attempt the outcome, the status and the words for it."""

    answer: Answer
    state: str
    fewest_attempts: int
    outcome: str
    http_status: int | None
    error_classes: frozenset[str | None]
    to_the_clamp: bool = False


def fails(answer: Answer, *error_classes: str, http_status: int | None = None, to_the_clamp: bool = False) -> Meeting:
    """Tried twice, and due again later; a third try may have come while slower ones were met."""
    return Meeting(answer, "retrying", 2, "try_again", http_status, frozenset(error_classes), to_the_clamp)


MEETINGS = {
    "hangs_before_headers": fails(hangs_before_headers, "Timeout", to_the_clamp=True),
    "trickles_headers": fails(trickles_headers, "Timeout", to_the_clamp=True),
    "trickles_body": fails(trickles_body, "HTTP503", http_status=503, to_the_clamp=True),
    "hangs_after_headers": Meeting(hangs_after_headers, "delivered", 1, "delivered", 200, frozenset([None]), to_the_clamp=True),
    "announces_a_gigabyte": fails(announces_a_gigabyte, "HTTP500", http_status=500),
    "resets": fails(resets, "ConnectionLost"),
    "resets_in_the_body": fails(resets_in_the_body, "HTTP500", http_status=500),
    "talks_nonsense": fails(talks_nonsense, "NotHTTP"),
    **{f"says_{code}": fails(status(code), f"HTTP{code}", http_status=code) for code in (400, 404, 429, 500, 503)},
    "is_gone": Meeting(status(410), "dead", 1, "give_up", 410, frozenset(["HTTP410"])),
}
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Met:
    """Where it is written what came of it, and the tenant of each receiver."""

    product: Product
    tenants: dict[str, str]


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[socket.socket]:
    """Where the redirects point; whoever followed one would stand in its queue."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="session")
def met(
    make_database: Callable[[], DatabaseAddresses],
    receiver: Receiver,
    elsewhere: socket.socket,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Met]:
    """A product whose worker has met them all and has stopped."""
    location = f"location: http://127.0.0.1:{elsewhere.getsockname()[1]}/"
    answers = {name: meeting.answer for name, meeting in MEETINGS.items()}
    answers |= {f"redirects_{code}": status(code, b"", location) for code in REDIRECTS}
    settings = {
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
        "CHANNEL_TOKEN_KEY": base64.b64encode(b"k" * 32).decode(),
        "N8N_WEBHOOK_TIMEOUT_SECONDS": "1",  # the clamp makes that three
    }
    with product_on(make_database(), tmp_path_factory.mktemp("logs"), **settings) as product:
        api, worker, tenants = product.start_api(), product.start_worker(lease_seconds=20), {}
        with Door(api.base_url) as door:
            for name, answer in answers.items():
                tenants[name] = door.onboard()
                receiver.script(tenants[name], answer)
                add_endpoint(api.base_url, tenants[name], receiver.url)
            for name in answers:
                door.send_well(tenants[name], "c_1")
        wait_until(lambda: not still_owed(product), "every attempt that comes at once has ended", 60)
        worker.send(signal.SIGTERM)
        worker.wait()
        yield Met(product, tenants)
        product.print_logs()


def add_endpoint(base_url: str, tenant_id: str, address: str) -> None:
    wish = {"tenant_id": tenant_id, "kind": "webhook", "name": "bad", "address": address}
    assert httpx.post(f"{base_url}/api/endpoints", json=wish, trust_env=False).status_code == 201


def still_owed(product: Product) -> bool:
    """Whether one was tried less than twice, and not to its end."""
    return bool(product.rows.value("SELECT count(*) FROM follow_ups WHERE finished_at IS NULL AND failures < 2"))


@pytest.mark.parametrize("name", MEETINGS)
def test_a_bad_receiver(name: str, met: Met, receiver: Receiver) -> None:
    meeting, tenant_id, rows = MEETINGS[name], met.tenants[name], met.product.rows
    (owed,) = rows.of("SELECT state, attempts, failures, due_at FROM follow_ups WHERE tenant_id = $1", tenant_id)
    attempts = rows.of("SELECT * FROM delivery_attempts WHERE tenant_id = $1 ORDER BY attempt", tenant_id)
    assert owed["state"] == meeting.state
    assert meeting.fewest_attempts <= len(attempts) <= meeting.fewest_attempts + 1
    assert owed["failures"] == (0 if meeting.state == "delivered" else len(attempts))
    if meeting.state == "retrying":
        last = attempts[-1]
        assert owed["due_at"] > last["started_at"] + timedelta(milliseconds=last["duration_ms"], seconds=4)
    assert {(attempt["outcome"], attempt["http_status"]) for attempt in attempts} == {(meeting.outcome, meeting.http_status)}
    assert {attempt["error_class"] for attempt in attempts} <= meeting.error_classes
    for attempt in attempts:
        assert attempt["duration_ms"] < NEVER_ENDS_MS
        assert (attempt["duration_ms"] >= CLAMP_MS) == meeting.to_the_clamp
        assert len(attempt["answer_head"] or b"") <= 2048
    arrivals = receiver.arrivals(tenant_id)
    assert len(arrivals) == len(attempts)
    assert len({arrival.webhook_id for arrival in arrivals}) == 1


def test_who_is_gone_is_paused_and_nobody_else(met: Met) -> None:
    paused = met.product.rows.of("SELECT tenant_id, pause_reason FROM follow_up_endpoints WHERE paused_at IS NOT NULL")
    assert [(str(row["tenant_id"]), row["pause_reason"]) for row in paused] == [(met.tenants["is_gone"], "gone")]


@pytest.mark.parametrize("code", REDIRECTS)
def test_a_redirect_is_not_followed(code: int, met: Met, elsewhere: socket.socket) -> None:
    tenant_id, rows = met.tenants[f"redirects_{code}"], met.product.rows
    (state,) = rows.column("SELECT state FROM follow_ups WHERE tenant_id = $1", tenant_id)
    attempts = rows.of("SELECT outcome, http_status, error_class FROM delivery_attempts WHERE tenant_id = $1", tenant_id)
    assert state == "retrying"
    assert {tuple(attempt) for attempt in attempts} == {("try_again", code, f"HTTP{code}")}
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


def test_a_gigabyte_is_not_listened_to(met: Met, receiver: Receiver) -> None:
    tenant_id = met.tenants["announces_a_gigabyte"]
    sent = [
        exchange.sent_bytes
        for arrival, exchange in zip(receiver.arrivals(), receiver.exchanges(), strict=True)
        if arrival.said["tenant_id"] == tenant_id
    ]
    assert len(sent) >= 2
    assert max(sent) < HEARD_AT_MOST_BYTES
