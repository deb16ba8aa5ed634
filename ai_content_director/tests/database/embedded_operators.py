"""Who starts an embedded server in the tests: root, or an ordinary user, each with a folder of their own; and how a test looks at it."""

import contextlib
import ctypes
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.postgres_binaries import embedded_binaries
from lead_signals.database.embedded.server_leftovers import cluster_mark
from lead_signals.database.embedded_server import EmbeddedServer

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


@contextlib.contextmanager
def home_of(uid: int, gid: int) -> Iterator[Path]:
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
