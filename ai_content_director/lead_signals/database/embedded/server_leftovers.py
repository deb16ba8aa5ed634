"""What an earlier server of ours left behind: processes without a supervisor, and files that name processes.

Called with the lock on the data directory held, so whatever still runs on the data has lost its supervisor (kill -9) or is on its way out.
A process is ours when it runs as the server's user, is a PostgreSQL program, and either works in our data folder or carries our mark
(`cluster_name`, shown in the titles of all its processes): in a container root may not be allowed to see where others work.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.server_user import ServerUser
from lead_signals.database.embedded.socket_greeting import somebody_listens

PROCESSES = Path("/proc")
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 10.0  # after which the next harder signal goes out


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    title: bytes  # the command line; PostgreSQL replaces it in all its processes but the first

    @property
    def is_postmaster(self) -> bool:
        return not self.title.startswith(b"postgres:")


def cluster_mark(cluster: Path) -> str:
    """The `cluster_name` of our server: the same for the same data folder, at most 63 bytes."""
    return f"lead-signals-{sha256(os.fsencode(cluster)).hexdigest()[:16]}"


def end_leftovers(cluster: Path, socket_file: Path, user: ServerUser, deadline: float) -> None:
    """End every process of an earlier server on `cluster`, in order where a postmaster can still keep it (SIGINT), and remove lock
    files that name processes of others. `deadline` is a time of `time.monotonic`.

    Raises EmbeddedServerError when a process does not end, or when a server we cannot see serves this data (another container).
    """
    _end(lambda: _servers_on(cluster, socket_file, user), deadline)
    if somebody_listens(socket_file):
        raise EmbeddedServerError(
            f"A server that we cannot see, perhaps in another container, serves {cluster}: stop it, or choose another --data-dir."
        )
    for file in (cluster / "postmaster.pid", socket_file.with_name(f"{socket_file.name}.lock")):
        _remove_if_stale(file)


def kill_initdb_in(folder: Path, user: ServerUser) -> None:
    """Kill the initdb that still works in a half-made `folder`, with the programs it started."""
    for process in _processes(user):
        if _works_in(folder, process.pid):
            _send(process.pid, signal.SIGKILL)


def _servers_on(cluster: Path, socket_file: Path, user: ServerUser) -> list[_Process]:
    if not PROCESSES.is_dir():  # macOS: the process our file names, if somebody answers where only our server can listen
        pid = _pid_in(cluster / "postmaster.pid")
        return [_Process(pid, b"")] if pid and _is_alive(pid) and somebody_listens(socket_file) else []
    mark = cluster_mark(cluster).encode()
    return [process for process in _processes(user) if mark in process.title or _works_in(cluster, process.pid)]


def _processes(user: ServerUser) -> Iterator[_Process]:
    """The PostgreSQL programs that `user` runs now. Zombies have no title, and are left out by that."""
    for entry in PROCESSES.iterdir() if PROCESSES.is_dir() else ():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # ended while we looked
            title = (entry / "cmdline").read_bytes() if entry.stat().st_uid == user.uid else b""
            if title.startswith(b"postgres:") or title.partition(b"\0")[0].rpartition(b"/")[2] in (b"postgres", b"initdb"):
                yield _Process(int(entry.name), title)


def _works_in(folder: Path, pid: int) -> bool:
    try:
        return (PROCESSES / str(pid) / "cwd").readlink() == folder
    except OSError:
        return False


def _end(remaining: Callable[[], list[_Process]], deadline: float) -> None:
    """Send the softest signal that ends them, then harder ones; return when none remains."""
    sent: set[tuple[int, signal.Signals]] = set()
    began = time.monotonic()
    while processes := remaining():
        now = time.monotonic()
        if now > deadline:
            pids = ", ".join(str(process.pid) for process in processes)
            raise EmbeddedServerError(f"An earlier server (process {pids}) does not end: end it with kill -9, then start again.")
        # Without a postmaster the others have lost their work already; SIGINT would only cancel a query.
        postmasters = [process for process in processes if process.is_postmaster]
        harder = int((now - began) // PATIENCE_SECONDS) + (0 if postmasters else 1)
        step = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)[min(harder, 2)]
        for process in postmasters or processes:
            if (process.pid, step) not in sent:
                sent.add((process.pid, step))
                _send(process.pid, step)
        time.sleep(POLL_SECONDS)


def _remove_if_stale(file: Path) -> None:
    """Remove a lock file that PostgreSQL would believe though it lies: empty, garbled, or naming a process that is none of ours.

    A file that names a dead process stays: PostgreSQL judges it better, by the shared memory named in it.
    """
    if os.path.lexists(file):
        pid = _pid_in(file)
        if pid is None or _is_alive(pid):
            file.unlink()


def _pid_in(file: Path) -> int | None:
    """The process in the first line (negative for a server without a postmaster)."""
    try:
        with file.open("rb") as opened:
            return abs(int(opened.readline(32)))
    except (OSError, ValueError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _send(pid: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, which)
