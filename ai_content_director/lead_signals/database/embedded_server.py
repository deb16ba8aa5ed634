"""The embedded PostgreSQL: one server on one data directory, started, watched and stopped by us.

In the data directory lie `postgres/` (the data, with the socket in it), `postgres.log` and `lock`. There is no TCP; whoever can enter
`postgres/` (the server's user, and root) is trusted as any role. Root works in data directories of root only, and there an ordinary
user runs the server. Roles, databases and migrations are made by others.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from lead_signals.database.embedded.directory_lock import lock_directory
from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError, explain_output, explain_refused_file
from lead_signals.database.embedded.log_file import LOG_LIMIT_BYTES, open_log
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries, embedded_binaries, major_version, within_reach
from lead_signals.database.embedded.postgres_cluster import SUPERUSER, folder_as_seen_by, give_cluster_to, holds_cluster, make_cluster
from lead_signals.database.embedded.server_leftovers import cluster_mark, end_leftovers
from lead_signals.database.embedded.server_user import ServerUser, choose_server_user, spawn
from lead_signals.database.embedded.socket_folder import PORT, SOCKET_NAME, choose_socket_folder, make_socket_folder
from lead_signals.database.embedded.socket_greeting import server_answers
from lead_signals.database.embedded.trusted_folder import give_folder, refuse_folder_of_others

LOG_LINES_SHOWN = 15
POLL_SECONDS = 0.02
RETRY_SECONDS = 0.2
# Fast, immediate, dead. A fast shutdown writes a checkpoint, which a slow disk can draw out.
STOPPING = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
# What a server says that came before the last traces of a killed one were gone: 27 of 35 attempts after kill -9 under load.
TRY_AGAIN = re.compile(r"lock file .* already exists|pre-existing shared memory block|is still in use")

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_timezone": "UTC",
    "timezone": "UTC",
    # What people wrote to us stands in statements and in the details of errors: neither goes to the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedServer:
    """A PostgreSQL server on `data_directory`. Start and stop it from the main thread: it ends with the thread that started it."""

    def __init__(self, data_directory: Path, binaries: PostgresBinaries | None = None, settings: Mapping[str, str] | None = None) -> None:
        """Nothing happens yet. `binaries`: other programs than the wheel's. `settings`: PostgreSQL settings on top of ours."""
        self.data_directory = data_directory.resolve()
        self._cluster = self.data_directory / "postgres"
        self._log = self.data_directory / "postgres.log"
        self._binaries = binaries
        self._settings = {**SETTINGS, "cluster_name": cluster_mark(self._cluster), **(settings or {})}
        self._user: ServerUser | None = None
        self._socket_folder: Path | None = None
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, deadline_seconds: float = 60.0) -> None:
        """Start the server, making its data when there is none, and return when it answers. Does nothing when it runs.

        Also the way back after a crash: leftovers are ended, recovery is waited for. Raises EmbeddedServerError when the directory will not
        do, another of us uses it, or the server ended or did not answer within `deadline_seconds`; nothing is left running then.
        """
        if self.is_running():
            return
        deadline = time.monotonic() + deadline_seconds
        try:
            self._start(deadline)
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError):
                raise explain_refused_file(error, self.data_directory) from error
            raise

    def _start(self, deadline: float) -> None:
        user = self._user = choose_server_user(self._cluster)
        self._make_data_directory(user)
        if self._lock is None:
            self._lock = lock_directory(self.data_directory)
        binaries = within_reach(self._binaries or embedded_binaries(), user, self.data_directory)
        if not holds_cluster(self._cluster, major_version(binaries, user, deadline)):
            make_cluster(self._cluster, binaries, user, deadline)
        give_cluster_to(user, self._cluster)
        folder = self._socket_folder = choose_socket_folder(self._cluster, user)
        if folder != self._cluster:
            folder = self._socket_folder = make_socket_folder(folder, self._cluster, user)
        while not self._attempt(binaries, user, folder / SOCKET_NAME, deadline):
            time.sleep(RETRY_SECONDS)

    def _make_data_directory(self, user: ServerUser) -> None:
        """Ours alone; where root starts us, the server's user may pass, to its own folder. A folder of others is refused to root."""
        refuse_folder_of_others(self.data_directory)
        if not self.data_directory.is_dir():
            self.data_directory.parent.mkdir(parents=True, exist_ok=True)
            self.data_directory.mkdir(mode=0o700)
            if user.is_somebody_else:
                give_folder(self.data_directory, -1, user.gid, 0o710)
            refuse_folder_of_others(self.data_directory)  # with the folders we made on the way

    def _attempt(self, binaries: PostgresBinaries, user: ServerUser, socket_file: Path, deadline: float) -> bool:
        """True when the server answers; False when it stumbled over the last traces of a killed one, and may try again."""
        end_leftovers(self._cluster, socket_file, user, deadline)
        log = open_log(self._log)
        said_before = os.fstat(log).st_size
        try:
            process = self._process = spawn(self._command(binaries, user, socket_file.parent), user, self._cluster, log)
        finally:
            os.close(log)
        while not server_answers(socket_file, SUPERUSER):
            late = time.monotonic() > deadline
            if process.poll() is not None:
                said = self._said_since(said_before)
                if not late and TRY_AGAIN.search(said):
                    return False
                ended = f"The embedded PostgreSQL ended while it started (exit status {process.returncode})."
                raise EmbeddedServerError(f"{ended}{explain_output(said)} {self._quote(said)}")
            if late:
                raise EmbeddedServerError(
                    "The embedded PostgreSQL runs but did not answer in time; a recovery after a crash may need longer: start again "
                    f"with a longer deadline. {self._quote(self._said_since(said_before))}"
                )
            time.sleep(POLL_SECONDS)
        return True

    def _command(self, binaries: PostgresBinaries, user: ServerUser, socket_folder: Path) -> list[str | Path]:
        # The server is started inside its data folder, so "." is that folder, however long or closed the path to it.
        place = "." if socket_folder == self._cluster else str(socket_folder)
        settings = {"unix_socket_directories": place, **self._settings}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [binaries.postgres, "-D", folder_as_seen_by(user, self._cluster), "-p", str(PORT), *options]

    def _said_since(self, offset: int) -> str:
        with self._log.open("rb") as log:
            log.seek(offset)
            return log.read(LOG_LIMIT_BYTES).decode(errors="replace")

    def _quote(self, said: str) -> str:
        last = "\n".join(said.strip().splitlines()[-LOG_LINES_SHOWN:])
        return f"The last lines of {self._log}:\n{last}"

    def open_log(self, name: str) -> IO[bytes]:
        """Another log beside the server's own, for whoever runs it; unbuffered. Not before `start`. Raises EmbeddedServerError."""
        path = self.data_directory / name
        try:
            return os.fdopen(open_log(path), "ab", buffering=0)
        except OSError as error:
            raise explain_refused_file(error, path) from error

    def stop(self) -> None:
        """End the server in order and wait until nothing of it runs; then let the directory go. Does nothing when nothing was started.

        Raises EmbeddedServerError when a process outlives even SIGKILL.
        """
        try:
            if self._process is not None:
                self._end(self._process)
        finally:
            self._process = None
            if self._socket_folder and self._socket_folder != self._cluster:
                with contextlib.suppress(OSError):  # not empty after SIGKILL; the next start uses it again
                    self._socket_folder.rmdir()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        for step, patience_seconds in STOPPING:
            process.send_signal(step)  # does nothing to a process that has ended
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience_seconds)
                break
        if self._user and self._socket_folder:
            end_leftovers(self._cluster, self._socket_folder / SOCKET_NAME, self._user, time.monotonic() + STOPPING[-1][1])

    def is_running(self) -> bool:
        """True while the server process we started lives. False after it was killed; `start` brings it back."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The server's first process (postmaster); None when it does not run."""
        return self._process.pid if self._process is not None and self.is_running() else None

    def superuser_url(self, database: str = "postgres") -> str:
        """The address of `database` for the superuser; for making roles and databases only."""
        return self.url(SUPERUSER, database)

    def url(self, role: str, database: str) -> str:
        """The address of `database` for `role`, for libpq, asyncpg and SQLAlchemy alike. Known before the start too.

        The port is named because a PGPORT in the environment would otherwise name another socket.
        """
        folder = self._socket_folder or choose_socket_folder(self._cluster, choose_server_user(self._cluster))
        return f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}?host={quote(os.fsencode(folder), safe='/')}&port={PORT}"

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it."""
        self.stop()
