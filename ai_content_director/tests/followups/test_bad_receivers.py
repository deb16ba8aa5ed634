"""Receivers that hang, trickle, reset, redirect or babble: every attempt ends, is written down in one word, and there are two at most.

All of them are met at once, each by a tenant of its own, so that it takes as long as the slowest.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.door import Door
from tests.product import Api, Product
from tests.receiver import Answer, Receiver
from tests.receiver_answers import (
    announces_a_gigabyte,
    hangs_after_headers,
    hangs_before_headers,
    resets,
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
    """A receiver and what must come of it: the state in the end, and of each attempt the outcome, the status and the words for it."""

    answer: Answer
    state: str
    attempts: int
    outcome: str
    http_status: int | None
    error_classes: frozenset[str | None]
    to_the_clamp: bool = False


def fails(answer: Answer, *error_classes: str, http_status: int | None = None, to_the_clamp: bool = False) -> Meeting:
    """Tried twice, then dead."""
    return Meeting(answer, "dead", 2, "try_again", http_status, frozenset(error_classes), to_the_clamp)


BROKEN = ("ReadError", "RemoteProtocolError", "WriteError")
MEETINGS = {
    "hangs_before_headers": fails(hangs_before_headers, "Timeout", to_the_clamp=True),
    "trickles_headers": fails(trickles_headers, "Timeout", to_the_clamp=True),
    "trickles_body": fails(trickles_body, "HTTP503", http_status=503, to_the_clamp=True),
    "hangs_after_headers": Meeting(hangs_after_headers, "delivered", 1, "delivered", 200, frozenset([None]), to_the_clamp=True),
    "announces_a_gigabyte": fails(announces_a_gigabyte, "HTTP500", http_status=500),
    "resets": fails(resets, *BROKEN),
    "talks_nonsense": fails(talks_nonsense, *BROKEN),
    **{f"says_{code}": fails(status(code), f"HTTP{code}", http_status=code) for code in (400, 404, 429, 500, 503)},
    "is_gone": Meeting(status(410), "dead", 1, "give_up", 410, frozenset(["HTTP410"])),
}
REDIRECTS = (301, 302, 303, 307, 308)


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[socket.socket]:
    """Where the redirects point; whoever followed one would stand in its queue."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="session")
def met(product: Product, api: Api, receiver: Receiver, elsewhere: socket.socket) -> dict[str, str]:
    """The tenant of each receiver, once everything owed to any of them is settled."""
    location = f"location: http://127.0.0.1:{elsewhere.getsockname()[1]}/"
    answers = {name: meeting.answer for name, meeting in MEETINGS.items()}
    answers |= {f"redirects_{code}": status(code, b"", location) for code in REDIRECTS}
    tenants = {}
    with Door(api.base_url) as door:
        for name, answer in answers.items():
            tenants[name] = door.onboard()
            receiver.script(tenants[name], answer)
            door.send_well(tenants[name], "c_1")
    wait_until(lambda: product.rows.value("SELECT count(*) FROM follow_ups WHERE finished_at IS NULL") == 0, "every attempt has ended", 60)
    return tenants


@pytest.mark.parametrize("name", MEETINGS)
def test_a_bad_receiver(name: str, met: dict[str, str], product: Product, receiver: Receiver) -> None:
    meeting, tenant_id = MEETINGS[name], met[name]
    (owed,) = product.rows.of("SELECT state, attempts, failures FROM follow_ups WHERE tenant_id = $1", tenant_id)
    failures = 0 if meeting.state == "delivered" else meeting.attempts
    assert tuple(owed) == (meeting.state, meeting.attempts, failures)
    attempts = product.rows.of("SELECT * FROM delivery_attempts WHERE tenant_id = $1 ORDER BY attempt", tenant_id)
    assert [attempt["attempt"] for attempt in attempts] == list(range(1, meeting.attempts + 1))
    assert {(attempt["outcome"], attempt["http_status"]) for attempt in attempts} == {(meeting.outcome, meeting.http_status)}
    assert {attempt["error_class"] for attempt in attempts} <= meeting.error_classes
    for attempt in attempts:
        assert attempt["duration_ms"] < NEVER_ENDS_MS
        assert (attempt["duration_ms"] >= CLAMP_MS) == meeting.to_the_clamp
        assert len(attempt["answer_head"] or b"") <= 2048
    arrivals = receiver.arrivals(tenant_id)
    assert len(arrivals) == meeting.attempts
    assert len({arrival.webhook_id for arrival in arrivals}) == 1


@pytest.mark.parametrize("code", REDIRECTS)
def test_a_redirect_is_not_followed(code: int, met: dict[str, str], product: Product, elsewhere: socket.socket) -> None:
    tenant_id = met[f"redirects_{code}"]
    (state,) = product.rows.column("SELECT state FROM follow_ups WHERE tenant_id = $1", tenant_id)
    attempts = product.rows.of("SELECT outcome, http_status, error_class FROM delivery_attempts WHERE tenant_id = $1", tenant_id)
    assert state == "dead"
    assert [tuple(attempt) for attempt in attempts] == [("try_again", code, f"HTTP{code}")] * 2
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


def test_a_gigabyte_is_not_listened_to(met: dict[str, str], receiver: Receiver) -> None:
    tenant_id = met["announces_a_gigabyte"]
    sent = [
        exchange.sent_bytes
        for arrival, exchange in zip(receiver.arrivals(), receiver.exchanges(), strict=True)
        if arrival.said["tenant_id"] == tenant_id
    ]
    assert len(sent) == 2
    assert max(sent) < HEARD_AT_MOST_BYTES
