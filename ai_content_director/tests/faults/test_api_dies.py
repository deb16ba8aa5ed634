"""The API is killed with requests in flight: what was acknowledged is there, whole; what was not is there whole, or not at all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import comment
from tests.door import Door
from tests.invariants import all_finished, assert_kept, assert_whole
from tests.product import Product, product_on
from tests.receiver import Receiver
from tests.rows import Rows
from tests.stream_of_comments import StreamOfComments
from tests.waiting import wait_until

ROUNDS = 2
SENDERS = 30
STUCK_REQUESTS = 20
TENANTS = 3
API_SESSIONS = "pid <> pg_backend_pid() AND datname = current_database() AND application_name = 'lead-signals api'"
STOPPED_TRANSACTIONS = """
    SELECT count(*) FROM pg_locks waits WHERE relation = 'audit_events'::regclass AND NOT granted AND EXISTS
      (SELECT FROM pg_locks wrote WHERE wrote.pid = waits.pid AND relation = 'lead_signals'::regclass AND mode = 'RowExclusiveLock')"""
INSIDE = ("lead_signals_group_deliveries_sum", "lead_signals_waiting_deliveries")


@pytest.fixture
def product(fresh_database: DatabaseAddresses, receiver: Receiver, tmp_path: Path) -> Iterator[Product]:
    with product_on(fresh_database, tmp_path, WEBHOOK_URL=receiver.url) as product:
        yield product


def test_kill_9_under_load_keeps_every_acknowledged_comment(product: Product, receiver: Receiver) -> None:
    product.start_worker()
    acknowledged: list[str] = []
    sent: list[str] = []
    for number in range(ROUNDS):
        api = product.start_api()
        with Door(api.base_url) as door:
            tenant_id = door.onboard()
        with StreamOfComments(api.base_url, tenant_id, senders=SENDERS, name=f"round_{number}") as stream:
            stream.wait_for_acknowledged(60)
            api.kill()
        assert stream.cut_off(), "nothing was in flight when the API died: the test proved nothing"
        assert stream.statuses() == {}
        acknowledged += stream.acknowledged
        sent += stream.sent
    assert_whole(product.rows, acknowledged=acknowledged, sent=sent)
    wait_until(lambda: all_finished(product.rows), "everything owed is delivered")
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)


def test_kill_9_in_the_middle_of_transactions_leaves_no_half_and_sending_again_mends_it(product: Product) -> None:
    """A lock on the audit log stops a transaction behind its leads' INSERT, and everybody else waits in line; there the API dies."""
    api = product.start_api()
    stuck = [f"stuck_{number}" for number in range(STUCK_REQUESTS)]
    with Rows(product.addresses.owner) as locking, Door(api.base_url) as door, ThreadPoolExecutor(STUCK_REQUESTS) as senders:
        tenants = [door.onboard() for _ in range(TENANTS)]
        locking.of("BEGIN")
        locking.of("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
        answers = [senders.submit(post, api.base_url, tenants[number % TENANTS], comment_id) for number, comment_id in enumerate(stuck)]
        wait_until(
            lambda: inside(door) == STUCK_REQUESTS and product.rows.value(STOPPED_TRANSACTIONS) > 0,
            "all requests have come in, and a transaction waits behind its leads",
        )
        api.kill()
        assert [answer.result() for answer in answers].count(200) == 0
        locking.of("ROLLBACK")
    wait_until(lambda: product.rows.value(f"SELECT count(*) FROM pg_stat_activity WHERE {API_SESSIONS}") == 0, "its sessions are gone")
    assert_whole(product.rows, acknowledged=[], sent=[])
    assert product.rows.value("SELECT count(*) FROM receipts") == 0

    with Door(product.start_api().base_url) as door:
        created = [door.send_well(tenants[number % TENANTS], comment_id) for number, comment_id in enumerate(stuck)]
    assert [len(lead_ids) for lead_ids in created] == [1] * STUCK_REQUESTS
    assert_whole(product.rows, acknowledged=stuck, sent=stuck)


def inside(door: Door) -> float:
    """How many deliveries a transaction has taken up so far, or wait for one."""
    samples = dict(line.split() for line in door.http.get("/metrics").text.splitlines() if line.startswith(INSIDE))
    taken, waiting = (float(samples[name]) for name in INSIDE)
    return taken + waiting


def post(base_url: str, tenant_id: str, comment_id: str) -> int | None:
    """The status, or None when the connection broke before there was one."""
    try:
        with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as client:
            return client.post("/webhooks/facebook", json=comment(comment_id), headers={"X-Tenant-ID": tenant_id}).status_code
    except httpx.HTTPError:
        return None
