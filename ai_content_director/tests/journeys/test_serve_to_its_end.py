"""How `serve` ends, and that it can begin again: nothing runs on, the port is free, the data is there."""

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.door import Door
from tests.journeys.served import Served, serving, still_running
from tests.receiver import Receiver
from tests.receiver_answers import held
from tests.waiting import wait_until


@pytest.fixture
def data_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="ls-"))
    yield directory / "data"
    shutil.rmtree(directory, ignore_errors=True)


def test_ctrl_c_and_kill_9_leave_nothing_running_and_the_next_start_finds_everything(data_directory: Path, receiver: Receiver) -> None:
    settings = {"WEBHOOK_URL": receiver.url, "N8N_WEBHOOK_TIMEOUT_SECONDS": "3"}

    with serving(data_directory, "--empty", settings=settings) as served, Door(served.base_url) as door:
        assert "tenant_id=" not in served.said
        assert "/onboarding" in served.said  # what to do next
        tenant_id = door.onboard()
        door.send_well(tenant_id, "c_1")
        receiver.wait_for(1, tenant_id)
        family = served.family()
        assert {process.pid for process in family} >= {served.child(role).pid for role in ("api", "worker", "postgres")}
        assert served.end() == 0
        assert still_running(family) == []
        assert_free(served.port)

    with serving(data_directory, port=served.port, settings=settings) as served, Door(served.base_url) as door:
        assert served.tenant_id == tenant_id  # kept, and no demo beside it
        assert [lead["external_message_id"] for lead in door.leads(tenant_id)] == ["c_1"]
        # kill -9, with a follow-up in the receiver's hands and PostgreSQL ending at the same moment
        gate = receiver.gate()
        receiver.script(tenant_id, held(gate))
        door.send_well(tenant_id, "c_2")
        receiver.wait_for(2, tenant_id)
        family = served.family()
        served.send(signal.SIGKILL)
        served.wait()
        wait_until(lambda: still_running(family) == [], "nothing of it runs any more", 60)
        assert_free(served.port)
        gate.set()

    receiver.script(tenant_id, held(gate))
    with serving(data_directory, port=served.port, settings=settings) as served, Door(served.base_url) as door:
        assert [lead["external_message_id"] for lead in door.leads(tenant_id)] == ["c_2", "c_1"]
        family = served.family()
        served.send(signal.SIGTERM)
        assert served.wait() == 0
        assert still_running(family) == []


def test_the_port_is_ours_from_the_first_moment_and_no_proxy_is_asked(data_directory: Path) -> None:
    nowhere = "http://127.0.0.1:1"
    served = Served(data_directory, settings={"http_proxy": nowhere, "HTTP_PROXY": nowhere, "no_proxy": "", "NO_PROXY": ""})
    try:
        wait_until(lambda: "PostgreSQL" in served.said, "serve is at work")
        assert_taken(served.port)  # long before anything answers there
        served.wait_until_ready()
        assert "tenant_id=" in served.said
        killed = served.child("api")
        killed.send_signal(signal.SIGSTOP)
        assert_taken(served.port)
        killed.kill()
        wait_until(lambda: still_running([killed]) == [], "the API is dead")
        assert_taken(served.port)
        with Door(served.base_url) as door:  # waits in the kernel's queue until there is an API again
            assert door.http.get("/health").status_code == 200
        assert served.end() == 0
        assert_free(served.port)
    finally:
        if served.is_running():
            served.end()
        served.close()


def assert_taken(port: int) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        assert_free(port)


def assert_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
