"""A worker is killed, frozen or asked to leave while a receiver holds its requests: nothing is lost, nothing counts twice."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.door import Door
from tests.invariants import all_finished, assert_kept, assert_whole
from tests.product import Product, product_on
from tests.receiver import Receiver
from tests.receiver_answers import held, status
from tests.waiting import wait_until


@pytest.fixture
def product(fresh_database: DatabaseAddresses, receiver: Receiver, tmp_path: Path) -> Iterator[Product]:
    """Processes of ours on a database of their own; a follow-up attempt may take 10 s."""
    with product_on(fresh_database, tmp_path, WEBHOOK_URL=receiver.url, N8N_WEBHOOK_TIMEOUT_SECONDS="10") as product:
        yield product


def test_kill_9_in_the_middle_of_deliveries_loses_nothing(product: Product, receiver: Receiver) -> None:
    """Each round a worker is killed while the receiver holds its requests; the next one delivers after the lease, under the same ids."""
    rounds, each = 3, 2  # an endpoint that is not known yet is sent two at once
    worker = product.start_worker()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        for number in range(rounds):
            receiver.script(tenant_id, held(receiver.gate()))
            arrived_before = len(receiver.arrivals())
            for position in range(each):
                door.send_well(tenant_id, f"c_{number}_{position}")
            receiver.wait_for(arrived_before + each)
            receiver.script(tenant_id, status(200))
            successor = product.start_worker()
            worker.kill()
            worker = successor
            wait_until(lambda: all_finished(product.rows), "what the killed worker held is delivered")
    everything = [f"c_{number}_{position}" for number in range(rounds) for position in range(each)]
    assert_whole(product.rows, acknowledged=everything, sent=everything)
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=rounds * each)
    claims = product.rows.of("SELECT attempts, failures, lease_token FROM follow_ups")
    assert [tuple(claim) for claim in claims] == [(2, 0, 2)] * (rounds * each)  # the killed attempt counts, and is no failure
    recorded = product.rows.of("SELECT attempt, outcome FROM delivery_attempts")
    assert [tuple(attempt) for attempt in recorded] == [(2, "delivered")] * (rounds * each)


def test_a_frozen_worker_that_wakes_after_its_lease_changes_nothing(product: Product, receiver: Receiver) -> None:
    frozen = product.start_worker()
    first, second = receiver.gate(), receiver.gate()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        receiver.script(tenant_id, held(first, then=status(500)), held(second))
        door.send_well(tenant_id, "c_1")
        receiver.wait_for(1)
        frozen.send(signal.SIGSTOP)
        holder = product.start_worker()
        receiver.wait_for(2)  # the lease has ended, and another has taken over
        held_row = follow_up(product, but_not="lease_until")  # its holder goes on renewing it
        assert (held_row["state"], held_row["lease_token"]) == ("delivering", 2)

        first.set()
        frozen.send(signal.SIGCONT)
        wait_until(lambda: spoke_of_its_late_attempt(frozen.log_lines()), "the frozen worker learns that it is too late")
        assert follow_up(product, but_not="lease_until") == held_row

        second.set()
        wait_until(lambda: all_finished(product.rows), "the holder has settled")
    settled = follow_up(product)
    assert (settled["state"], settled["lease_token"], settled["attempts"], settled["failures"]) == ("delivered", 2, 2, 0)
    assert [event["counted"] for event in holder.events("follow_up_attempted")] == [True]
    assert frozen.is_running()
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=1)


def test_a_frozen_worker_cannot_reopen_what_another_has_delivered(product: Product, receiver: Receiver) -> None:
    frozen = product.start_worker()
    gate = receiver.gate()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        receiver.script(tenant_id, held(gate, then=status(500)), status(200))
        door.send_well(tenant_id, "c_1")
        receiver.wait_for(1)
        frozen.send(signal.SIGSTOP)
        product.start_worker()
        wait_until(lambda: all_finished(product.rows), "another worker has delivered")
        delivered = follow_up(product)
        gate.set()
        frozen.send(signal.SIGCONT)
        wait_until(lambda: spoke_of_its_late_attempt(frozen.log_lines()), "the frozen worker learns that it is too late")
    assert follow_up(product) == delivered
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=1)


def test_sigterm_finishes_what_is_held_claims_nothing_more_and_leaves_well(product: Product, receiver: Receiver) -> None:
    leaving = product.start_worker(lease_seconds=20)
    gate = receiver.gate()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        receiver.script(tenant_id, held(gate))
        for position in range(2):
            door.send_well(tenant_id, f"before_{position}")
        receiver.wait_for(2)
        leaving.send(signal.SIGTERM)
        wait_until(lambda: product.rows.value("SELECT count(*) FROM worker_heartbeats") == 0, "the worker has said goodbye")
        for position in range(3):
            door.send_well(tenant_id, f"after_{position}")
        gate.set()
        assert leaving.wait() == 0
        states = product.rows.of(
            "SELECT left(l.external_message_id, 5), f.state, f.attempts FROM follow_ups f JOIN lead_signals l ON l.id = f.lead_id"
        )
        assert sorted(tuple(state) for state in states) == [("after", "pending", 0)] * 3 + [("befor", "delivered", 1)] * 2
        assert len(receiver.arrivals()) == 2

        product.start_worker()
        wait_until(lambda: all_finished(product.rows), "the next worker has delivered the rest")
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)


def follow_up(product: Product, *, but_not: str = "") -> dict[str, object]:
    """The only follow-up, all its columns."""
    (row,) = product.rows.of("SELECT * FROM follow_ups")
    return {name: value for name, value in row.items() if name != but_not}


def spoke_of_its_late_attempt(lines: list[dict[str, object]]) -> bool:
    """It either lost its lease on looking, or was refused when it settled."""
    return any(line.get("event") == "lease_lost" or line.get("counted") is False for line in lines)
