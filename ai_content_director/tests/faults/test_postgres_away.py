"""PostgreSQL is stopped, and killed, under the running product: deliveries are refused, never lost; follow-ups wait, never repeat."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded_server import EmbeddedServer
from tests.door import Door
from tests.invariants import all_finished, assert_kept, assert_whole
from tests.product import Process, product_on
from tests.receiver import Receiver
from tests.receiver_answers import held, status
from tests.stream_of_comments import StreamOfComments
from tests.waiting import wait_until

HELD = 4  # two workers, and an endpoint that is not known yet is sent two at once


def stop(server: EmbeddedServer) -> None:
    """As an operator restarts it: sessions are ended, in order."""
    server.stop()


def kill_9(server: EmbeddedServer) -> None:
    """The postmaster dies without a word; its children follow when they notice."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not server.is_running(), "the postmaster is gone")


@pytest.mark.parametrize("take_away", [stop, kill_9])
def test_postgres_goes_away_and_comes_back(
    take_away: Callable[[EmbeddedServer], None],
    postgres_alone: EmbeddedServer,
    database_alone: DatabaseAddresses,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    """In flight: a stream of deliveries, and follow-ups whose answers come while nobody can write them down, for longer than the lease."""
    with product_on(database_alone, tmp_path, WEBHOOK_URL=receiver.url, N8N_WEBHOOK_TIMEOUT_SECONDS="10") as product:
        api, workers = product.start_api(), [product.start_worker(), product.start_worker()]
        gate = receiver.gate()
        with Door(api.base_url) as door:
            tenant_id = door.onboard()
            receiver.script(tenant_id, *[held(gate)] * HELD, status(200))
            first = [f"first_{number}" for number in range(HELD)]
            for comment_id in first:
                door.send_well(tenant_id, comment_id)
            receiver.wait_for(HELD)
        with StreamOfComments(api.base_url, tenant_id, senders=4) as stream:
            stream.wait_for_acknowledged(10)
            take_away(postgres_alone)
            stream.wait_for_refused(10)
            gate.set()
            # Two tries a second: the outage has lasted longer than the lease of 3 s.
            wait_until(lambda: longest_wait(workers) >= 8, "a worker has tried eight times to write an outcome down")
            ready_while_away = httpx.get(f"{api.base_url}/ready", trust_env=False)
            postgres_alone.start()
            stream.wait_for_acknowledged(10)
        assert (ready_while_away.status_code, ready_while_away.json()["status"]) == (503, "unready")
        assert set(stream.statuses()) == {503}
        assert all(int(answer.headers["retry-after"]) > 0 for _, answer in stream.refused)
        wait_until(lambda: all_finished(product.rows), "everything owed is delivered")
        assert_whole(product.rows, acknowledged=first + stream.acknowledged, sent=first + stream.sent)
        assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)
        assert all(process.is_running() for process in (api, *workers))


def test_the_product_may_start_before_its_database(
    postgres_alone: EmbeddedServer, database_alone: DatabaseAddresses, receiver: Receiver, tmp_path: Path
) -> None:
    """A machine starts in any order: the door says 503, the worker waits; both begin by themselves."""
    postgres_alone.stop()
    with product_on(database_alone, tmp_path, WEBHOOK_URL=receiver.url) as product:
        api = product.start_api()
        worker = product.begin_worker()
        with Door(api.base_url) as door:
            refused = door.http.post("/onboarding", json={"tenant_name": "Sớm Mai", "industry": "Cà phê"})
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
            wait_until(lambda: worker.events("waiting"), "the worker says what it waits for")
            postgres_alone.start()
            tenant_id = wait_until(lambda: onboarded(door), "the door opens")
            door.send_well(tenant_id, "c_1")
            receiver.wait_for(1)
            wait_until(lambda: all_finished(product.rows), "the follow-up is delivered")
        assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)


def onboarded(door: Door) -> str:
    """A tenant's id, or an empty word while the database is away."""
    answer = door.http.post("/onboarding", json={"tenant_name": "Sớm Mai", "industry": "Cà phê"})
    assert answer.status_code in (201, 503)
    return str(answer.json()["tenant"]["id"]) if answer.status_code == 201 else ""


def longest_wait(workers: list[Process]) -> int:
    """How often the most patient follow-up has tried to be settled."""
    tries = Counter(event["follow_up_id"] for worker in workers for event in worker.events("settle_waits_for_database"))
    return max(tries.values(), default=0)
