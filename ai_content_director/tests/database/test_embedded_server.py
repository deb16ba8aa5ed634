"""The embedded server, on real servers: as root (who hands it to an ordinary user) and as an ordinary user.

Run as root, the suite plays the ordinary user too, as `nobody` in a process of its own. Run as an ordinary user, the half that needs root
is skipped, and says so.
"""

import asyncio
import contextlib
import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from lead_signals.database.embedded import postgres_binaries, server_leftovers, server_user, socket_folder
from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.postgres_binaries import LIBRARIES_OF_WHEEL, PROGRAMS_IN_WHEEL, PostgresBinaries, embedded_binaries
from lead_signals.database.embedded.server_leftovers import cluster_mark
from lead_signals.database.embedded_server import LOG_LIMIT_BYTES, EmbeddedServer

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root hands the server to another user: run the suite as root for this half")
linux_only = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs Linux's /proc")
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Operator:
    """Somebody who starts the server, with a folder of their own that everybody may pass."""

    uid: int
    gid: int
    home: Path

    @property
    def directory(self) -> Path:
        return self.home / "data"

    def does(self, scene: Callable[..., None], *things: object) -> None:
        """Play a scene as this user; its failure is ours."""
        if self.uid == os.geteuid():
            scene(*things)
            return
        failures, failed = os.pipe()
        child = os.fork()
        if child == 0:
            self._play(scene, things, failed)
        os.close(failed)
        with os.fdopen(failures, "r") as file:
            failure = file.read()
        os.waitpid(child, 0)
        if failure:
            pytest.fail(f"as the user {self.uid}:\n{failure}", pytrace=False)

    def _play(self, scene: Callable[..., None], things: tuple[object, ...], failed: int) -> None:
        try:
            self._become()
            scene(*things)
        except BaseException:
            os.write(failed, traceback.format_exc().encode())
        finally:
            os._exit(0)

    def _become(self) -> None:
        if self.uid != os.geteuid():
            os.environ["HOME"] = str(self.home)
            os.setgroups([])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
            LIBC.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: what an exec would do for a process that has changed its user

    @contextlib.contextmanager
    def supervises(self, scene: Callable[[Path, Callable[[str], None]], None]) -> Iterator["Supervisor"]:
        """A process of this user, in a session of its own, that plays `scene(directory, report)`; killed in the end if it still lives."""
        reports, reporter = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                self._become()
                scene(self.directory, lambda line: os.write(reporter, f"{line}\n".encode()) and None)
            except BaseException:
                os.write(reporter, traceback.format_exc().replace("\n", " | ").encode() + b"\n")
            finally:
                os._exit(0)
        os.close(reporter)
        with os.fdopen(reports, "r") as file:
            supervisor = Supervisor(child, file.readline)
            try:
                yield supervisor
            finally:
                supervisor.end(signal.SIGKILL)


class Supervisor:
    """A forked process that watches over a server, and the lines it reports."""

    def __init__(self, pid: int, report: Callable[[], str]) -> None:
        self.pid = pid
        self.report = lambda: report().strip()
        self._gone = False

    def end(self, how: signal.Signals) -> None:
        if not self._gone:
            os.kill(self.pid, how)
            os.waitpid(self.pid, 0)
            self._gone = True

    def wait(self) -> None:
        os.waitpid(self.pid, 0)
        self._gone = True


@pytest.fixture
def root() -> Iterator[Operator]:
    with _home(0, 0) as home:
        yield Operator(0, 0, home)


@pytest.fixture
def ordinary() -> Iterator[Operator]:
    nobody = pwd.getpwnam("nobody")
    uid, gid = (nobody.pw_uid, nobody.pw_gid) if ROOT else (os.geteuid(), os.getegid())
    with _home(uid, gid) as home:
        yield Operator(uid, gid, home)


@pytest.fixture(params=[pytest.param("root", marks=needs_root), "ordinary"])
def operator(request: pytest.FixtureRequest) -> Operator:
    return request.getfixturevalue(request.param)


@dataclass(frozen=True)
class Shelf:
    """Data made once for each kind of operator, and lent from test to test: to make it anew costs more than most tests."""

    home: Path

    @contextlib.contextmanager
    def lend(self, operator: Operator, directory: Path) -> Iterator[None]:
        kept = self.home / str(operator.uid)
        if not kept.exists():
            kept.mkdir()
            os.chown(kept, operator.uid, operator.gid)
            operator.does(_start_and_stop, kept / "data")
        directory.mkdir(parents=True)
        owner = operator.uid, (kept / "data").stat().st_gid
        os.chown(directory, *owner)
        cluster = directory / "postgres"
        (kept / "data" / "postgres").rename(cluster)
        try:
            yield
        finally:
            cluster.rename(kept / "data" / "postgres")


def _start_and_stop(directory: Path) -> None:
    with EmbeddedServer(directory):
        pass


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    with _home(os.geteuid(), os.getegid()) as home:
        yield Shelf(home)


@pytest.fixture
def settled(operator: Operator, shelf: Shelf) -> Iterator[Operator]:
    """An operator whose server was started before."""
    with shelf.lend(operator, operator.directory):
        yield operator


@contextlib.contextmanager
def _home(uid: int, gid: int) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="ls-")).resolve()
    home.chmod(0o755)
    os.chown(home, uid, gid)
    try:
        yield home
        left = [pid for cluster in home.rglob("postgres") if cluster.is_dir() for pid in processes_on(cluster.parent)]
        assert left == [], "a server outlived its test"
    finally:
        shutil.rmtree(home)


def processes_on(directory: Path) -> list[int]:
    """Every process of a server on this data directory, seen from outside."""
    mark, found = cluster_mark(directory / "postgres").encode(), []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return sorted(found)


def until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, what
        pause.wait(0.01)


def ask(server: EmbeddedServer, *statements: str) -> str:
    """What psql, speaking through libpq, answers to the last statement."""
    psql = embedded_binaries().directory / "psql"
    commands = [word for statement in statements for word in ("-c", statement)]
    ran = subprocess.run(
        [psql, "-XqAt", "-v", "ON_ERROR_STOP=1", server.superuser_url(), *commands], capture_output=True, text=True, check=False, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def refusal(server: EmbeddedServer, deadline_seconds: float = 20) -> str:
    with pytest.raises(EmbeddedServerError) as refused:
        server.start(deadline_seconds)
    assert server.pid is None
    return str(refused.value)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# The ordinary course


def test_first_start_makes_safe_private_data(operator: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            settings = "fsync synchronous_commit full_page_writes data_checksums listen_addresses server_encoding unix_socket_permissions"
            answers = [ask(server, f"show {name}") for name in settings.split()]
            assert answers == ["on", "on", "on", "on", "", "UTF8", "0700"]
            assert ask(server, "select datcollate from pg_database where datname = 'template0'") in ("C.UTF-8", "C")
            assert server.pid in processes_on(directory)
            runner = Path(f"/proc/{server.pid}").stat().st_uid
            assert runner != 0
            assert runner == (directory / "postgres").stat().st_uid
        assert sorted(path.name for path in directory.iterdir()) == ["lock", "postgres", "postgres.log"]
        assert [mode(directory / name) for name in ("lock", "postgres", "postgres.log")] == [0o600, 0o700, 0o600]
        assert mode(directory) & 0o007 == 0
        assert processes_on(directory) == []

    operator.does(scene, operator.directory)


def test_second_start_keeps_the_data_and_start_is_idempotent(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        server = EmbeddedServer(directory)
        with server:
            ask(server, "drop table if exists calls", "create table calls (phone text)", "insert into calls values ('0900 000 001')")
            first = server.pid
            server.start()
            assert server.pid == first
        server.stop()
        assert not server.is_running()
        with server:
            assert server.pid != first
            assert ask(server, "select phone from calls") == "0900 000 001"

    settled.does(scene, settled.directory)


def test_extra_settings_reach_the_server(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory, settings={"max_connections": "17", "work_mem": "5MB"}) as server:
            assert ask(server, "select current_setting('max_connections') || current_setting('work_mem')") == "175MB"

    settled.does(scene, settled.directory)


@pytest.mark.parametrize("name", ["data", "dữ liệu, của 'Hoa' \"100%\" a:b?c&d", "x" * 120])
def test_every_driver_reaches_it_whatever_the_folder_is_called(name: str, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    async def drivers(server: EmbeddedServer) -> list[object]:
        connection = await asyncpg.connect(server.url("Bán hàng", "postgres"))
        direct = await connection.fetchval("select current_user")
        await connection.close()
        engine = create_async_engine(server.url("Bán hàng", "postgres").replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as session:
            through_engine = await session.scalar(text("select current_user"))
        await engine.dispose()
        return [direct, through_engine]

    monkeypatch.setenv("PGPORT", "6543")
    us = Operator(os.geteuid(), os.getegid(), Path())
    with _home(us.uid, us.gid) as home, shelf.lend(us, home / name), EmbeddedServer(home / name) as server:
        ask(server, 'drop role if exists "Bán hàng"', 'create role "Bán hàng" login')
        assert asyncio.run(drivers(server)) == ["Bán hàng", "Bán hàng"]


def test_a_long_path_gets_a_private_short_socket_folder(operator: Operator, shelf: Shelf) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            assert ask(server, "select 1") == "1"
            folder = socket_folder.choose_socket_folder(directory / "postgres", server_user.choose_server_user(directory / "postgres"))
            assert folder != directory / "postgres"
            assert mode(folder) == 0o700
            assert folder.stat().st_uid == (directory / "postgres").stat().st_uid
        assert not folder.exists()
        folder.symlink_to(directory)
        try:
            assert "not ours" in refusal(EmbeddedServer(directory))
        finally:
            folder.unlink()

    directory = operator.home / ("long" * 20) / ("path" * 20)
    with shelf.lend(operator, directory):
        operator.does(scene, directory)


def test_the_log_is_bounded_and_holds_no_words_of_people(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        log = directory / "postgres.log"
        log.touch(mode=0o600)
        os.truncate(log, LOG_LIMIT_BYTES + 1)
        with EmbeddedServer(directory) as server:
            assert (directory / "postgres.log.1").stat().st_size == LOG_LIMIT_BYTES + 1
            ask(
                server,
                "drop table if exists calls",
                "create table calls (words text primary key)",
                "insert into calls values ('call Hoa on 0900 000 001')",
            )
            with pytest.raises(AssertionError, match="duplicate key"):
                ask(server, "insert into calls values ('call Hoa on 0900 000 001')")
        assert "duplicate key" in log.read_text()
        assert "Hoa" not in log.read_text()

    settled.does(scene, settled.directory)


def test_no_mode_outside_the_data_directory_changes(operator: Operator) -> None:
    private = operator.home / "private"
    private.mkdir(mode=0o700)
    os.chown(private, operator.uid, operator.gid)

    def watched() -> dict[Path, tuple[int, int, int]]:
        wheel = embedded_binaries().directory.parent.parent
        paths = {*private.parents, private, *wheel.parents, wheel, *wheel.rglob("*")}
        return {path: (path.lstat().st_mode, path.lstat().st_uid, path.lstat().st_gid) for path in paths}

    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            assert ask(server, "select 1") == "1"

    before = watched()
    operator.does(scene, private / "data")
    assert watched() == before


# Kills


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
    server_user._end_with_parent = lambda: None
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


# What lies in the way


def test_two_of_us_on_one_directory_refuse_and_say_who_holds_it(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            second = EmbeddedServer(directory)
            said = refusal(second)
            second.stop()
            assert f"in use by process {os.getpid()}:" in said
            assert "choose another --data-dir" in said
            assert ask(server, "select 1") == "1"
        with second:
            assert ask(second, "select 1") == "1"

    settled.does(scene, settled.directory)


@pytest.mark.parametrize("claim", ["foreign process", "dead process", "nothing", "nonsense"])
def test_a_stale_pid_file_does_not_stop_us(settled: Operator, claim: str) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory):
            genuine = (directory / "postgres" / "postmaster.pid").read_text()
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
            dead = 2**22 + 1  # above what Linux gives out
            first_line = {"foreign process": str(stranger.pid), "dead process": str(dead), "nothing": "", "nonsense": "x"}[claim]
            lie = first_line + genuine[genuine.index("\n") :] if first_line else ""
            (directory / "postgres" / "postmaster.pid").write_text(lie)
            (directory / "postgres" / ".s.PGSQL.5432.lock").write_text(lie)
            with EmbeddedServer(directory) as server:
                assert ask(server, "select 1") == "1"
            assert stranger.poll() is None, "a process that is none of ours was ended"
            stranger.communicate()

    settled.does(scene, settled.directory)


@linux_only
def test_a_server_we_cannot_see_is_never_doubled(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        with socket.socket(socket.AF_UNIX) as elsewhere:
            elsewhere.bind(str(directory / "postgres" / ".s.PGSQL.5432"))
            elsewhere.listen()
            assert "perhaps in another container" in refusal(EmbeddedServer(directory))

    settled.does(scene, settled.directory)


def test_data_of_another_major_version_is_refused_untouched(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        version = directory / "postgres" / "PG_VERSION"
        version.write_text("16\n")
        before = sorted((path, path.stat().st_mtime_ns) for path in (directory / "postgres").rglob("*"))
        said = refusal(EmbeddedServer(directory))
        assert "holds data of PostgreSQL 16, and our programs are version 18" in said
        assert "pg_dumpall" in said
        assert sorted((path, path.stat().st_mtime_ns) for path in (directory / "postgres").rglob("*")) == before
        version.write_text("18\n")

    settled.does(scene, settled.directory)


def test_a_folder_of_something_else_is_refused_untouched(operator: Operator) -> None:
    def scene(directory: Path) -> None:
        diary = directory / "postgres" / "diary.txt"
        diary.parent.mkdir(parents=True)
        diary.write_text("dear diary")
        assert "is not empty and is no PostgreSQL data" in refusal(EmbeddedServer(directory))
        assert diary.read_text() == "dear diary"
        assert list(diary.parent.iterdir()) == [diary]

    operator.does(scene, operator.directory)


def test_damaged_data_is_refused_with_the_servers_own_words(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        control = directory / "postgres" / "global" / "pg_control"
        control.rename(directory / "pg_control")
        said = refusal(EmbeddedServer(directory))
        (directory / "pg_control").rename(control)
        assert "ended while it started" in said
        assert "pg_control" in said
        assert str(directory / "postgres.log") in said

    settled.does(scene, settled.directory)


def test_what_a_half_made_start_left_is_cleared_and_links_are_not_followed(operator: Operator) -> None:
    def scene(home: Path) -> None:
        (home / "photos").mkdir()
        (home / "photos" / "hoa.jpg").write_text("flower")
        half_made = home / "data" / "postgres.making-x1"
        half_made.mkdir(parents=True)
        (half_made / "PG_VERSION").write_text("18\n")
        (half_made / "base").symlink_to(home / "photos")
        with EmbeddedServer(home / "data") as server:
            assert ask(server, "select 1") == "1"
        assert not half_made.exists()
        assert (home / "photos" / "hoa.jpg").read_text() == "flower"

    operator.does(scene, operator.home)


def test_a_wrong_setting_ends_the_start_with_the_last_lines_of_the_log(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        said = refusal(EmbeddedServer(directory, settings={"shared_buffers": "a lot"}))
        assert "ended while it started" in said
        assert 'invalid value for parameter "shared_buffers": "a lot"' in said
        with EmbeddedServer(directory) as server:
            assert ask(server, "select 1") == "1"

    settled.does(scene, settled.directory)


def test_a_folder_we_may_not_write_is_refused_with_what_to_do(ordinary: Operator) -> None:
    def scene(home: Path) -> None:
        home.chmod(0o555)
        said = refusal(EmbeddedServer(home / "data"))
        home.chmod(0o755)
        assert "We may not read or write" in said
        assert str(home / "data") in said

    ordinary.does(scene, ordinary.home)


def test_a_file_where_the_folder_should_be_is_refused(operator: Operator) -> None:
    def scene(directory: Path) -> None:
        directory.write_text("not a folder")
        assert "a file where a folder should be" in refusal(EmbeddedServer(directory))
        assert directory.read_text() == "not a folder"

    operator.does(scene, operator.directory)


@needs_root
@pytest.mark.parametrize(("options", "sentence"), [("ro", "is on a read-only file system"), ("size=12m", "The disk is full")])
def test_a_read_only_and_a_full_disk_are_named(root: Operator, options: str, sentence: str) -> None:
    def scene(directory: Path, report: Callable[[str], None]) -> None:
        LIBC.unshare(0x00020000)  # CLONE_NEWNS: the mount is seen by this process alone, and goes with it
        if LIBC.mount(None, b"/", None, 0x44000, None):  # MS_REC | MS_PRIVATE
            report("no mounts here")
            return
        directory.mkdir()
        flags = 1 if options == "ro" else 0
        assert LIBC.mount(b"tmpfs", os.fsencode(directory), b"tmpfs", flags, None if flags else options.encode()) == 0
        said = refusal(EmbeddedServer(directory))
        assert not (directory / "postgres").exists()
        assert list(directory.glob("postgres.making-*")) == []
        report(said.splitlines()[0])

    with root.supervises(scene) as supervisor:
        said = supervisor.report()
        supervisor.wait()
    if said == "no mounts here":
        pytest.skip("this machine does not let root mount a small disk")
    assert sentence in said
    assert "choose another --data-dir" in said


# Programs


def _programs(folder: Path, script: str) -> PostgresBinaries:
    folder.mkdir()
    postgres = folder / "postgres"
    postgres.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) 18.4' && exit\n{script}\n")
    postgres.chmod(0o755)
    (folder / "initdb").symlink_to(embedded_binaries().initdb)
    return PostgresBinaries(folder)


def test_a_start_that_stumbles_over_the_last_traces_of_a_killed_server_is_tried_again(settled: Operator) -> None:
    def scene(home: Path) -> None:
        stumble = "echo 'FATAL:  lock file \"postmaster.pid\" already exists'; exit 1"
        twice = f'n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries; [ "$n" -lt 2 ] && {{ {stumble}; }}'
        programs = _programs(home / "bin", f'{twice}; exec "{embedded_binaries().postgres}" "$@"')
        with EmbeddedServer(home / "data", programs) as server:
            assert ask(server, "select 1") == "1"
        tries = home / "data" / "postgres" / "tries"
        assert tries.read_text() == "3\n"
        tries.unlink()

    settled.does(scene, settled.home)


def test_a_server_that_never_answers_is_ended_at_the_deadline(settled: Operator) -> None:
    def scene(home: Path) -> None:
        server = EmbeddedServer(home / "data", _programs(home / "bin", "echo pid $$; exec sleep 600"))
        said = refusal(server, deadline_seconds=1)
        assert "did not answer in time" in said
        silent = re.search(r"pid (\d+)", said)
        assert silent is not None
        assert not Path(f"/proc/{silent[1]}").exists()

    settled.does(scene, settled.home)


def test_programs_that_do_not_run_are_named(operator: Operator) -> None:
    def scene(home: Path) -> None:
        programs = _programs(home / "bin", "")
        programs.postgres.write_text("#!/bin/sh\necho cannot load a library; exit 127\n")
        said = refusal(EmbeddedServer(home / "data", programs))
        assert str(programs.postgres) in said
        assert "cannot load a library" in said

    operator.does(scene, operator.home)


def test_the_wheels_programs_are_found_without_importing_it() -> None:
    finding = (
        "import sys; from lead_signals.database.embedded.postgres_binaries import embedded_binaries, WHEEL; "
        "assert embedded_binaries().initdb.is_file(); assert not [name for name in sys.modules if name.startswith(WHEEL)]"
    )
    service = Path(__file__).resolve().parents[2]
    subprocess.run([os.sys.executable, "-c", finding], check=True, cwd=service)


def test_without_the_wheel_we_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "WHEEL", "a_wheel_nobody_installed")
    with pytest.raises(EmbeddedServerError, match=r"pip install -r requirements.txt, or set DATABASE_URL"):
        embedded_binaries()


def test_the_systems_own_postgresql_will_do_too_and_versions_are_not_mixed(operator: Operator) -> None:
    others = [
        PostgresBinaries(path.parent) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")) if "/18/" not in str(path)
    ]
    if not others:
        pytest.skip("no other PostgreSQL is installed on this machine")

    def scene(directory: Path) -> None:
        with EmbeddedServer(directory, others[0]) as server:
            version = int(ask(server, "show server_version_num")) // 10000
        assert f"holds data of PostgreSQL {version}, and our programs are version 18" in refusal(EmbeddedServer(directory))
        with EmbeddedServer(directory, others[0]) as server:
            assert ask(server, "select 1") == "1"

    operator.does(scene, operator.directory)


# Root and the users it may not lock out


@needs_root
def test_root_starts_below_a_folder_closed_to_the_servers_user_and_gives_it_no_capability(root: Operator) -> None:
    private = root.home / "private"
    private.mkdir(mode=0o700)
    with EmbeddedServer(private / "data") as server:
        ask(
            server,
            "drop table if exists calls",
            "create table calls (n int)",
            "insert into calls values (1)",
            "set timezone = 'Asia/Ho_Chi_Minh'",
            "checkpoint",
        )
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert re.findall(r"Cap(?:Inh|Prm|Eff|Amb):\s+(\w+)", status) == ["0" * 16] * 4
        for pid in processes_on(private / "data"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not server.is_running(), "the postmaster was killed")
        server.start()
        assert ask(server, "select n from calls") == "1"
    assert mode(private) == 0o700


@needs_root
def test_root_with_programs_in_a_closed_folder_runs_a_copy_of_them(root: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = _closed_programs(root.home)
    cache = root.home / "cache"
    cache.mkdir(mode=0o755)
    monkeypatch.setattr(postgres_binaries, "CACHE", cache)
    (root.home / "private").mkdir(mode=0o700)
    for directory, place in ((root.home / "open", root.home / "open"), (root.home / "private" / "data", cache)):
        with EmbeddedServer(directory, programs) as server:
            assert ask(server, "select extname from pg_extension") == "plpgsql"
            (copy,) = place.glob("lead-signals-postgres-*")
            started = Path(f"/proc/{server.pid}/cmdline").read_bytes().partition(b"\0")[0]
            assert started == os.fsencode(copy / PROGRAMS_IN_WHEEL / "postgres")
        assert {mode(path) for path in (copy, *copy.rglob("*")) if not path.is_symlink()} == {0o755, 0o644}
        made = copy.stat().st_ino
        with EmbeddedServer(directory, programs):
            assert copy.stat().st_ino == made, "the copy is made once"
    copy.chmod(0o777)
    assert "was not made by us" in refusal(EmbeddedServer(root.home / "private" / "data", programs))
    assert mode(root.home / "venv") == 0o700


@needs_root
def test_root_with_no_open_place_at_all_is_told_which_folder_is_closed(root: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = _closed_programs(root.home)
    monkeypatch.setattr(postgres_binaries, "CACHE", root.home / "no such folder")
    monkeypatch.setattr(postgres_binaries.tempfile, "gettempdir", lambda: str(root.home / "venv"))
    said = refusal(EmbeddedServer(root.home / "venv" / "data", programs))
    assert f"{root.home / 'venv'} is closed to the user" in said
    assert "choose a --data-dir" in said


def _closed_programs(home: Path) -> PostgresBinaries:
    """An installation below a folder that only root may enter, made under a umask that hides every file from others."""
    venv = home / "venv"
    venv.mkdir(mode=0o700)
    wheel = embedded_binaries().directory.parents[len(PROGRAMS_IN_WHEEL.parts) - 1]
    for part in (PROGRAMS_IN_WHEEL.parent, LIBRARIES_OF_WHEEL):
        shutil.copytree(wheel / part, venv / part, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in venv.rglob("*"):
        if not path.is_symlink():
            path.chmod(mode(path) & 0o700)
    return PostgresBinaries(venv / PROGRAMS_IN_WHEEL)


@needs_root
def test_one_start_by_root_does_not_lock_the_owner_of_the_data_out(ordinary: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            ask(server, "create table if not exists calls (n int)", "insert into calls values (1)")

    ordinary.does(scene, ordinary.directory)
    scene(ordinary.directory)
    assert {path.stat().st_uid for path in ordinary.directory.iterdir()} == {ordinary.uid}
    ordinary.does(scene, ordinary.directory)
    with EmbeddedServer(ordinary.directory) as server:
        assert ask(server, "select count(*) from calls") == "3"


@needs_root
def test_data_of_somebody_else_is_refused_by_name(ordinary: Operator) -> None:
    cluster = ordinary.directory / "postgres"
    cluster.mkdir(parents=True)

    def scene(directory: Path) -> None:
        assert f"{cluster} belongs to the user root: start us as that user" in refusal(EmbeddedServer(directory))

    ordinary.does(scene, ordinary.directory)


@needs_root
def test_data_restored_by_root_is_given_back_to_the_servers_user(root: Operator, shelf: Shelf) -> None:
    cluster = root.directory / "postgres"
    with shelf.lend(root, root.directory):
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, 0, 0)
        cluster.chmod(0o755)
        with EmbeddedServer(root.directory) as server:
            assert ask(server, "select 1") == "1"
        assert mode(cluster) == 0o700
        assert 0 not in {path.stat().st_uid for path in cluster.rglob("*")}


@needs_root
@pytest.mark.parametrize("name", ["lock", "postgres.log"])
def test_root_is_not_led_elsewhere_by_a_link(ordinary: Operator, root: Operator, name: str) -> None:
    precious = root.home / "precious"
    precious.write_text("of root")
    ordinary.directory.mkdir()
    os.chown(ordinary.directory, ordinary.uid, ordinary.gid)
    (ordinary.directory / name).symlink_to(precious)
    assert str(ordinary.directory / name) in refusal(EmbeddedServer(ordinary.directory))
    assert precious.read_text() == "of root"
    assert precious.stat().st_uid == 0


@needs_root
def test_the_server_knows_nothing_of_our_environment(root: Operator, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key nobody should read")
    monkeypatch.setenv("PGDATA", "/elsewhere")
    with shelf.lend(root, root.directory), EmbeddedServer(root.directory) as server:
        names = {entry.partition(b"=")[0] for entry in Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0") if entry}
    assert names <= {b"PATH", b"LC_ALL", b"TZ", b"LD_LIBRARY_PATH", b"PGSYSCONFDIR", b"PGLOCALEDIR"}
