"""Who runs the PostgreSQL programs: we ourselves, or, as PostgreSQL refuses root, an ordinary user of the system.

No user is ever created and no mode or owner outside our own data directory ever changes. A program that runs as another user gets
nothing of us but a path for commands, a time zone and a language: no secret of our environment, no file of ours, no capability.
"""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.end_with_parent import end_with_parent

USERS_FOR_ROOT = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """A user of this machine, known by name where the machine knows one."""

    name: str
    uid: int
    gid: int

    @property
    def is_somebody_else(self) -> bool:
        """True when we are root and hand the programs to this user."""
        return self.uid != os.geteuid()


def choose_server_user(cluster: Path) -> ServerUser:
    """The user who is to run the server of the data folder `cluster` (which may not exist yet).

    Not root: we ourselves. Root: whoever owns the data already (in a folder of root, see trusted_folder); else `postgres`; else `nobody`.
    Raises EmbeddedServerError when the data is somebody else's, or nobody can be found.
    """
    owner = _owner(cluster)
    if os.geteuid() != 0:
        return _ourselves(cluster, owner)
    if owner:
        return _user_of_data(cluster, owner)
    for name in USERS_FOR_ROOT:
        if user := _user_named(name):
            return user
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root, and this machine has no user named {' or '.join(USERS_FOR_ROOT)}: start us as an ordinary user."
    )


def _owner(path: Path) -> int | None:
    """The user id that owns `path`; None when there is no such path."""
    try:
        return path.stat().st_uid
    except FileNotFoundError:
        return None


def _ourselves(cluster: Path, owner: int | None) -> ServerUser:
    uid = os.geteuid()
    if owner not in (None, uid):
        raise EmbeddedServerError(
            f"{cluster} belongs to the user {_name_of(owner) or owner}: start us as that user, or choose another --data-dir."
        )
    return ServerUser(_name_of(uid) or str(uid), uid, os.getegid())


def _user_of_data(cluster: Path, owner: int) -> ServerUser:
    """The owner runs the server even where this machine has no name for the id, as in a container with a mounted folder."""
    name = _name_of(owner)
    return (name and _user_named(name)) or ServerUser(str(owner), owner, cluster.stat().st_gid)


def _name_of(uid: int | None) -> str | None:
    try:
        return None if uid is None else pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _user_named(name: str) -> ServerUser | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return ServerUser(name, entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def closed_part(path: Path, user: ServerUser) -> Path | None:
    """The first folder on the way to `path`, or `path` itself, that `user` may not pass (or execute); None when the way is free.

    Judged by owner, group and mode, for a user without supplementary groups. Where we do not change user there is nothing to judge.
    """
    if not user.is_somebody_else:
        return None
    for part in (*reversed(path.parents), path):
        status = part.stat()
        bit = 0o100 if status.st_uid == user.uid else 0o010 if status.st_gid == user.gid else 0o001
        if not status.st_mode & bit:
            return part
    return None


def run_to_end(command: Sequence[str | Path], user: ServerUser, folder: Path, deadline: float) -> tuple[int, str]:
    """Run a short program as `user` in `folder`; its exit status and everything it said.

    `deadline` is a time of `time.monotonic`. Raises EmbeddedServerError when the program cannot be started or is not done by then.
    """
    process = spawn(command, user, folder, subprocess.PIPE)
    try:
        output, _ = process.communicate(timeout=max(deadline - time.monotonic(), 0.1))
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise EmbeddedServerError(
                f"{command[0]} was not done in time: start again with a longer deadline, or choose a faster disk."
            ) from error
        raise
    return process.returncode, output.decode(errors="replace")


def spawn(command: Sequence[str | Path], user: ServerUser, folder: Path, output: int | IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a PostgreSQL program as `user`, inside `folder` (entered before the user changes, so its parents may be closed to them).

    It has a session of its own, so that a Ctrl-C in the terminal does not reach it before we stop it in order. On Linux it is sent
    SIGINT (fast shutdown) when *the thread* that started it ends, even by kill -9: call this from the main thread.
    Raises EmbeddedServerError when the program cannot be executed.
    """
    changes = user.is_somebody_else
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
            umask=0o077,
            user=user.uid if changes else None,
            group=user.gid if changes else None,
            extra_groups=[] if changes else None,
            preexec_fn=end_with_parent(signal.SIGINT),  # noqa: PLW1509 - one call of an already loaded C function
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServerError(
            f"Cannot run {command[0]} as the user {user.name} ({error}): install the requirements again, or set DATABASE_URL."
        ) from error


def _environment() -> dict[str, str]:
    """What the programs may know of ours. A fixed time zone also spares initdb the search for one."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **kept}
