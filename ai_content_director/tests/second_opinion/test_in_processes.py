"""API and worker as they are run: the door never waits for a model, and the worker's death costs no opinion."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import URGENT
from tests.door import Door
from tests.language_model.model_server import ModelServer, held, opines
from tests.product import Product, product_on
from tests.receiver import Receiver
from tests.receiver_answers import hangs_before_headers
from tests.second_opinion.asking_house import ASKING
from tests.waiting import wait_until

UNCLEAR = "..."


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of follow-ups for one test."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def product(make_database: Callable[[], DatabaseAddresses], tmp_path: Path, server: ModelServer, receiver: Receiver) -> Iterator[Product]:
    """Processes that ask the model on loopback; the local language model has no secret of anybody."""
    with product_on(make_database(), tmp_path, **ASKING, OPENAI_BASE_URL=server.base_url, WEBHOOK_URL=receiver.url) as product:
        yield product


def test_the_door_never_speaks_to_the_model(product: Product, server: ModelServer) -> None:
    server.answer = hangs_before_headers
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        for number in range(30):
            assert len(door.send_well(tenant_id, f"c{number}", UNCLEAR)) == 1
    assert server.questions == ()
    assert product.rows.column("SELECT DISTINCT state FROM opinion_requests") == ["pending"]
    assert product.rows.value("SELECT count(*) FROM opinion_requests") == 30


def test_an_unclear_comment_becomes_urgent_and_is_followed_up(product: Product, server: ModelServer, receiver: Receiver) -> None:
    server.answer = opines("contact_request", 0.9)
    product.start_worker()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        door.send_well(tenant_id, "c1", UNCLEAR)
        (arrival,) = receiver.wait_for(1, tenant_id)
        (lead,) = door.leads(tenant_id)
        assert lead["intent_label"] == arrival.said["intent_label"] == "contact_request"
        assert lead["status"] == arrival.said["status"] == "new_draft"
        door.send_well(tenant_id, "c2", URGENT)
        receiver.wait_for(2, tenant_id)
    assert len(server.questions) == 1


def test_a_worker_killed_while_it_asks_leaves_the_question_to_the_next(product: Product, server: ModelServer, receiver: Receiver) -> None:
    gate = threading.Event()
    server.answer = [held(gate, opines("complaint", 0.9)), opines("contact_request", 0.9)]
    worker = product.start_worker()
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        door.send_well(tenant_id, "c1", UNCLEAR)
        server.wait_for(1)
        worker.send(signal.SIGKILL)
        worker.wait()
        product.start_worker()
        receiver.wait_for(1, tenant_id)
        gate.set()
        wait_until(lambda: product.rows.column("SELECT state FROM opinion_requests") == ["answered"], "the question was answered")
        assert [lead["intent_label"] for lead in door.leads(tenant_id)] == ["contact_request"]
    assert len(receiver.arrivals(tenant_id)) == 1
    told = "SELECT count(*) FROM audit_events WHERE event_type = 'LEAD_SIGNAL_SECOND_OPINION'"
    assert product.rows.value(told) == 1


def test_a_worker_without_key_or_model_says_so_and_works(product: Product, server: ModelServer) -> None:
    worker = product.start_worker(OPENAI_API_KEY="")
    (event,) = worker.events("no_language_model")
    assert "OPENAI_API_KEY" in event["hint"]
    (started,) = worker.events("worker_started")
    assert "opinion_requests" not in started["works"]
    assert server.questions == ()


@pytest.mark.parametrize("entrance", ["http_app", "worker", "cli", "health.doctor", "second_opinion.opinion_work"])
def test_who_asks_no_model_does_not_load_its_client(entrance: str) -> None:
    look = f"import sys, lead_signals.{entrance}; sys.exit('openai' in sys.modules or 'httpx2' in sys.modules)"
    ended: subprocess.CompletedProcess[Any] = subprocess.run([sys.executable, "-c", look], check=False, timeout=60)
    assert ended.returncode == 0
