"""Connections to PostgreSQL are cut under the running product: it connects again, asks again, and hears its notices again."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.door import Door
from tests.invariants import all_finished, assert_kept, assert_whole
from tests.product import Product, product_on
from tests.receiver import Receiver
from tests.rows import Rows
from tests.stream_of_comments import StreamOfComments
from tests.waiting import wait_until

OURS = "datname = current_database() AND application_name LIKE 'lead-signals %'"
LISTENING = "datname = current_database() AND application_name = 'lead-signals listen'"
CUTS = 12
PAUSE_BETWEEN_CUTS_SECONDS = 0.25


@pytest.fixture
def product(fresh_database: DatabaseAddresses, receiver: Receiver, tmp_path: Path) -> Iterator[Product]:
    with product_on(fresh_database, tmp_path, WEBHOOK_URL=receiver.url) as product:
        yield product


def test_cutting_every_connection_again_and_again_loses_and_repeats_nothing(product: Product, receiver: Receiver) -> None:
    """Four times a second, while comments come in and follow-ups go out."""
    api, workers = product.start_api(), [product.start_worker(), product.start_worker()]
    with Door(api.base_url) as door:
        tenant_id = door.onboard()
    with StreamOfComments(api.base_url, tenant_id, senders=4) as stream:
        stream.wait_for_acknowledged(5)
        cut = cut_again_and_again(product.addresses.owner)
        stream.wait_for_acknowledged(5)
    assert cut >= CUTS
    assert set(stream.statuses()) <= {503}
    wait_until(lambda: all_finished(product.rows), "everything owed is delivered")
    assert_whole(product.rows, acknowledged=stream.acknowledged, sent=stream.sent)
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)
    assert all(process.is_running() for process in (api, *workers))
    assert [event for worker in workers for event in worker.events("work_crashed")] == []  # being cut off is no crash


def test_a_worker_hears_its_notices_again_after_its_listening_connection_was_cut(product: Product, receiver: Receiver) -> None:
    product.start_worker()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        deaf = wait_until(lambda: product.rows.column(f"SELECT pid FROM pg_stat_activity WHERE {LISTENING}"), "the worker listens")
        product.rows.of("SELECT pg_terminate_backend($1)", deaf[0])
        wait_until(
            lambda: set(product.rows.column(f"SELECT pid FROM pg_stat_activity WHERE {LISTENING} AND query LIKE 'LISTEN%'")) - set(deaf),
            "the worker listens again",
        )
        waited_seconds = 0.0
        for number in range(1, 9):
            door.send_well(tenant_id, f"c_{number}")
            newest = receiver.wait_for(number)[-1]
            wait_until(lambda: all_finished(product.rows), "the worker rests")
            waited_seconds += product.rows.value(
                "SELECT extract(epoch FROM a.started_at - f.created_at)::float8 FROM delivery_attempts a"
                " JOIN follow_ups f ON f.id = a.follow_up_id WHERE f.lead_id = $1",
                newest.said["lead_id"],
            )
    # A deaf worker polls once a second, counted from its last delivery: eight would take it more than four seconds.
    assert waited_seconds < 4
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)


def cut_again_and_again(superuser_address: str) -> int:
    """End all our sessions, CUTS times; how many sessions that were."""
    cut, pause = 0, threading.Event()
    with Rows(superuser_address) as rows:
        for _ in range(CUTS):
            cut += len(rows.of(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}"))
            pause.wait(PAUSE_BETWEEN_CUTS_SECONDS)
    return cut
