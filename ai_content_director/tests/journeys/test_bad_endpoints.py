"""Receivers that misbehave in every way we know, a tenant each, beside one that is well: nobody waits for them, and nothing swells."""

import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from bench.answers import percentile
from lead_signals.database.addresses import DatabaseAddresses
from tests.door import Door
from tests.followups.destinations.certificates import DAY, TODAY, Authority, make_authority
from tests.journeys.bad_company import (
    RETRY_AFTER,
    Misbehaviour,
    add_endpoint,
    attempts_at,
    endpoint_state,
    misbehaviours,
    webhook_ids_by_lead,
)
from tests.product import Process, Product, product_on
from tests.receiver import Receiver
from tests.receiver_answers import status
from tests.waiting import wait_until

LONGEST_ATTEMPT_MS = 3_500  # the clamp is 3 s, and half a second for what the clock cannot see
SWELLS_AT_MOST_BYTES = 5 * 1024**2
LEADS_EACH = 3
MEASURED = 40
SEALING_KEY = "b" * 43 + "="

IN_HAND = "SELECT count(DISTINCT tenant_id) FROM follow_ups WHERE state = 'delivering' AND tenant_id = ANY($1::uuid[])"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The only one our processes believe."""
    return make_authority(tmp_path)


@pytest.fixture
def product(fresh_database: DatabaseAddresses, tmp_path: Path, authority: Authority) -> Iterator[Product]:
    """Processes whose attempts last 3 s at most, although less was asked for, and that may call loopback."""
    settings = {
        "N8N_WEBHOOK_TIMEOUT_SECONDS": "1",
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
        "CHANNEL_TOKEN_KEY": SEALING_KEY,
        "SSL_CERT_FILE": str(authority.ca_file),
    }
    with product_on(fresh_database, tmp_path, **settings) as product:
        yield product


def test_bad_receivers_hurt_nobody_but_their_own_tenant(product: Product, receiver: Receiver, authority: Authority) -> None:
    api, worker = product.start_api(), product.start_worker(lease_seconds=20)
    with (
        Door(api.base_url) as door,
        Receiver() as bad,
        Receiver() as elsewhere,
        Receiver(authority.server("127.0.0.1", ends=TODAY - DAY)) as expired,
        Receiver(authority.server("127.0.0.1")) as well_with_tls,
    ):
        well, well_by_tls = door.onboard(), door.onboard()
        add_endpoint(door, well, receiver)
        add_endpoint(door, well_by_tls, well_with_tls)
        company = {door.onboard(): how for how in misbehaviours(elsewhere.url)}
        for tenant_id, how in company.items():
            add_endpoint(door, tenant_id, expired if how.answer is None else bad)
            bad.script(tenant_id, how.answer or status(200))

        door.send_well(well_by_tls, "tls_1")
        well_with_tls.wait_for(1)  # the certificate alone is what is wrong with the expired one
        alone = _p95_ms(door, receiver, well, "alone")
        before = _resident(worker)

        for tenant_id in company:
            for number in range(LEADS_EACH):
                door.send_well(tenant_id, f"c_{number}")
        waiting = [UUID(tenant_id) for tenant_id, how in company.items() if how.keeps_waiting]
        wait_until(lambda: product.rows.value(IN_HAND, waiting) == len(waiting), "each of those that keep us waiting does so")
        beside = _p95_ms(door, receiver, well, "beside")
        assert product.rows.value(IN_HAND, waiting) > 0, "the well one was told of everything while others still hang"

        wait_until(lambda: _all_had_their_turn(product, company), "every bad one was tried, and where it is due tried again", 60)
        assert elsewhere.arrivals() == [], "a redirect was followed"
        swollen = _resident(worker) - before
        assert worker.is_running()
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0  # now nothing moves any more

        for tenant_id, how in company.items():
            _as_drawn(product, tenant_id, how)
            ids = {str(row["lead_id"]): {f"msg_{row['id'].hex}"} for row in _follow_ups(product, tenant_id)}
            told = webhook_ids_by_lead(bad, tenant_id)
            assert told == {lead_id: ids[lead_id] for lead_id in told}, f"{how.name}: one follow-up, one id"
            assert endpoint_state(door, tenant_id) == ("gone" if how.outcome == "give_up" else "on"), how.name
    durations = sorted(product.rows.column("SELECT duration_ms FROM delivery_attempts"))
    assert durations[-1] <= LONGEST_ATTEMPT_MS
    assert swollen < SWELLS_AT_MOST_BYTES
    print(  # noqa: T201 - the numbers of the run, by -s or -rP
        f"well tenant p95 {alone:.0f} ms alone, {beside:.0f} ms beside {len(company)} bad ones: ratio {beside / alone:.2f};"
        f" {len(durations)} attempts, longest {durations[-1]} ms; worker {swollen / 1024**2:+.1f} MiB"
    )


def test_an_endpoint_that_is_well_after_thirty_failures_gets_its_follow_up(product: Product, receiver: Receiver) -> None:
    """A workflow is switched off, and n8n says 404 to all. One follow-up fails 14 times and is dead, twice; it is sent until it arrives.

    An operator's redrives stand for the days of the schedule. The worker starts anew once, as at a deploy.
    """
    worker = product.start_worker()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        add_endpoint(door, tenant_id, receiver)
        receiver.script(tenant_id, *[status(404)] * 30, status(200))
        door.send_well(tenant_id, "c_1")
        seen_dead = 0
        while (row := wait_until(lambda: _at_rest(product, tenant_id), "the attempt is settled"))["state"] != "delivered":
            if row["state"] == "dead":
                seen_dead += 1
                worker.kill()
                worker = product.start_worker()
            # As if it had begun four days ago: before 76 hours are over the last delay is repeated, and nothing dies.
            product.rows.of("UPDATE follow_ups SET begun_at = begun_at - interval '4 days' WHERE tenant_id = $1", tenant_id)
            answer = door.http.post(f"/api/follow-ups/msg_{row['id'].hex}/redrives", params={"tenant_id": tenant_id})
            assert answer.status_code == 200, answer.text
    attempts = sorted(attempts_at(product, tenant_id), key=lambda attempt: attempt["attempt"])
    assert [attempt["http_status"] for attempt in attempts] == [404] * 30 + [200]
    assert [attempt["attempt"] for attempt in attempts] == list(range(1, 32))
    assert seen_dead == 2
    assert {arrival.webhook_id for arrival in receiver.arrivals()} == {f"msg_{row['id'].hex}"}
    assert len(receiver.arrivals()) == 31


def _p95_ms(door: Door, receiver: Receiver, tenant_id: str, name: str) -> float:
    """From the POST of a comment to its arrival at the receiver, one comment after the other."""
    took = []
    for number in range(MEASURED):
        before, sent_at = len(receiver.arrivals(tenant_id)), time.monotonic()
        door.send_well(tenant_id, f"{name}_{number}")
        arrival = receiver.wait_for(before + 1, tenant_id)[before]
        took.append((arrival.at - sent_at) * 1000)
    p95 = percentile(sorted(took), 95)
    assert p95 is not None
    return p95


def _resident(worker: Process) -> int:
    """Bytes."""
    resident: int = psutil.Process(worker.pid).memory_info().rss
    return resident


def _all_had_their_turn(product: Product, company: Mapping[str, Misbehaviour]) -> bool:
    """A second try comes at once, except where it was asked to wait, where there is none, and where the first was good enough."""
    for tenant_id, how in company.items():
        wanted = 2 if how.state == "retrying" and how.name != "429" else 1
        if max((attempt["attempt"] for attempt in attempts_at(product, tenant_id)), default=0) < wanted:
            return False
    return True


def _as_drawn(product: Product, tenant_id: str, how: Misbehaviour) -> None:
    attempts = attempts_at(product, tenant_id)
    assert {attempt["outcome"] for attempt in attempts} == {how.outcome}, how.name
    assert {attempt["http_status"] or attempt["error_class"] for attempt in attempts} <= how.words, how.name
    tried = {attempt["follow_up_id"] for attempt in attempts}
    for row in _follow_ups(product, tenant_id):
        if row["id"] in tried:
            assert row["state"] == how.state, how.name
        else:
            assert row["state"] == "pending", how.name
        if how.name == "429" and row["state"] == "retrying":
            assert row["due_at"] - row["started_at"] >= RETRY_AFTER


def _follow_ups(product: Product, tenant_id: str) -> list[dict[str, object]]:
    statement = """
        SELECT f.id, f.lead_id, f.state, f.due_at, max(a.started_at) AS started_at FROM follow_ups f
        LEFT JOIN delivery_attempts a ON a.tenant_id = f.tenant_id AND a.follow_up_id = f.id
        WHERE f.tenant_id = $1 GROUP BY f.tenant_id, f.id, f.lead_id, f.state, f.due_at"""
    return [dict(row) for row in product.rows.of(statement, tenant_id)]


def _at_rest(product: Product, tenant_id: str) -> dict[str, object] | None:
    """The only follow-up, once no attempt runs and none is due."""
    (row,) = product.rows.of("SELECT id, state, due_at > now() AS waits FROM follow_ups WHERE tenant_id = $1", tenant_id)
    return dict(row) if row["state"] in {"dead", "delivered"} or (row["state"] == "retrying" and row["waits"]) else None
