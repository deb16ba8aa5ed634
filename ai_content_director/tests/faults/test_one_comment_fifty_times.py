"""One comment delivered fifty times at the same moment: one lead, one audit event, one follow-up, and everybody hears 200."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import comment
from tests.door import Door
from tests.invariants import all_finished, assert_kept, assert_whole
from tests.product import product_on
from tests.receiver import Receiver
from tests.waiting import wait_until

TIMES = 50


@pytest.mark.parametrize("of_each", [1, 2])
def test_fifty_identical_deliveries_at_once(of_each: int, fresh_database: DatabaseAddresses, receiver: Receiver, tmp_path: Path) -> None:
    """`of_each`: how many API and worker processes share the one PostgreSQL."""
    with product_on(fresh_database, tmp_path, WEBHOOK_URL=receiver.url) as product:
        apis = [product.start_api() for _ in range(of_each)]
        for _ in range(of_each):
            product.start_worker()
        with Door(apis[0].base_url) as door:
            tenant_id = door.onboard()
        together = threading.Barrier(TIMES)

        def deliver(number: int) -> httpx.Response:
            with httpx.Client(base_url=apis[number % of_each].base_url, timeout=30, trust_env=False) as client:
                client.get("/health")  # the connection is open before the signal
                together.wait(30)
                return client.post("/webhooks/facebook", json=comment("c_1"), headers={"X-Tenant-ID": tenant_id})

        with ThreadPoolExecutor(TIMES) as senders:
            answers = list(senders.map(deliver, range(TIMES)))
        assert [answer.status_code for answer in answers] == [200] * TIMES
        assert sorted(answer.json()["created"] for answer in answers) == [0] * (TIMES - 1) + [1]

        wait_until(lambda: all_finished(product.rows), "the follow-up is delivered")
        counts = {name: product.rows.value(f"SELECT count(*) FROM {name}") for name in ("lead_signals", "audit_events", "follow_ups")}
        assert counts == {"lead_signals": 1, "audit_events": 1, "follow_ups": 1}
        items = product.rows.of("SELECT count(*), sum(items_received), sum(items_created), sum(items_duplicate) FROM receipts")
        assert tuple(items[0]) == (TIMES, TIMES, 1, TIMES - 1)
        assert_whole(product.rows, acknowledged=["c_1"], sent=["c_1"])
        assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)
        assert len(receiver.arrivals()) == 1
