"""The embedded server after kills: of the server, of its supervisor, of a half-made start, of an orphan's patience."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lead_signals.database.embedded import server_leftovers, server_user
from lead_signals.database.embedded_server import EmbeddedServer
from tests.database.embedded_operators import Operator, ask, linux_only, processes_on, until


@linux_only
@pytest.mark.parametrize("whom", ["all", "postmaster"])
def test_after_kill_9_of_the_server_it_comes_back_with_every_commit(settled: Operator, whom: str) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            ask(server, "drop table if exists calls", "create table calls (n int)", "insert into calls select generate_series(1, 20000)")
            first = server.pid
            assert first is not None
            for pid in [first] if whom == "postmaster" else processes_on(directory):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            until(lambda: not server.is_running(), "the postmaster was killed")
            assert server.pid is None
            server.start()
            assert server.pid != first
            assert ask(server, "select count(*) from calls") == "20000"
        assert "was not properly shut down" in (directory / "postgres.log").read_text()

    settled.does(scene, settled.directory)


def _supervise(directory: Path, report: Callable[[str], None]) -> None:
    with EmbeddedServer(directory) as server:
        ask(server, "drop table if exists calls", "create table calls (n int)", "insert into calls values (1)")
        report(str(server.pid))
        threading.Event().wait()


def _supervise_without_death_signal(directory: Path, report: Callable[[str], None]) -> None:
    server_user.end_with_parent = lambda _: None
    _supervise(directory, report)


@linux_only
def test_kill_9_of_the_supervisor_leaves_no_server(settled: Operator) -> None:
    with settled.supervises(_supervise) as supervisor:
        assert int(supervisor.report()) in processes_on(settled.directory)
        supervisor.end(signal.SIGKILL)
    until(lambda: processes_on(settled.directory) == [], "the server ends with its supervisor")
    assert "received fast shutdown request" in (settled.directory / "postgres.log").read_text()


@linux_only
@pytest.mark.parametrize("known_by", ["working folder or mark", "mark alone", "socket alone"])
def test_an_orphan_is_ended_in_order_before_the_next_start(settled: Operator, known_by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if known_by == "mark alone":  # a container where root may not look into other users' processes
        monkeypatch.setattr(server_leftovers, "_works_in", lambda folder, pid: False)
    if known_by == "socket alone":  # a system without /proc
        monkeypatch.setattr(server_leftovers, "PROCESSES", Path("/no such folder"))
    with settled.supervises(_supervise_without_death_signal) as supervisor:
        orphan = int(supervisor.report())
        supervisor.end(signal.SIGKILL)
    assert orphan in processes_on(settled.directory)

    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            assert orphan not in processes_on(directory)
            assert server.pid in processes_on(directory)
            assert ask(server, "select count(*) from calls") == "1"
        log = (directory / "postgres.log").read_text()
        assert "received fast shutdown request" in log
        assert "was not properly shut down" not in log

    settled.does(scene, settled.directory)


@linux_only
def test_an_orphan_that_ignores_the_polite_signal_is_ended_all_the_same(settled: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_leftovers, "PATIENCE_SECONDS", 0.2)
    with settled.supervises(_supervise_without_death_signal) as supervisor:
        orphan = int(supervisor.report())
        supervisor.end(signal.SIGKILL)
    os.kill(orphan, signal.SIGSTOP)  # deaf to all but SIGKILL

    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            assert ask(server, "select count(*) from calls") == "1"

    settled.does(scene, settled.directory)


@linux_only
def test_a_kill_while_the_data_is_made_leaves_nothing_in_the_way(operator: Operator) -> None:
    def half_made() -> list[Path]:
        return list(operator.directory.glob("postgres.making-*"))

    with operator.supervises(_supervise) as supervisor:
        until(lambda: half_made() and (half_made()[0] / "PG_VERSION").exists(), "initdb is at work")
        supervisor.end(signal.SIGKILL)
    assert not (operator.directory / "postgres").exists()

    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            assert ask(server, "select 1") == "1"

    operator.does(scene, operator.directory)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server_before_we_stop_it(settled: Operator) -> None:
    def supervise(directory: Path, report: Callable[[str], None]) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite started in the background inherits that it is ignored
        with EmbeddedServer(directory) as server:
            try:
                report("ready")
                threading.Event().wait()
            except KeyboardInterrupt:
                report(ask(server, "select 'last words'"))

    with settled.supervises(supervise) as supervisor:
        assert supervisor.report() == "ready"
        os.killpg(supervisor.pid, signal.SIGINT)  # what a terminal does: the whole foreground group
        assert supervisor.report() == "last words"
        supervisor.wait()
    assert processes_on(settled.directory) == []
    log = (settled.directory / "postgres.log").read_text()
    assert "received fast shutdown request" in log
    assert log.rstrip().endswith("database system is shut down")
