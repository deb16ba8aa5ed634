"""Where the server's socket lies: in the data folder, which only its user can enter, or in a private folder with a shorter path."""

import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from lead_signals.database.embedded.directory_lock import open_own_file
from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.server_user import ServerUser, closed_part
from lead_signals.database.embedded.trusted_folder import give_folder

PORT = 5432  # only a part of the socket's name: nothing listens on the network
SOCKET_NAME = f".s.PGSQL.{PORT}"
REMEMBERED = "socket-folder"  # in the data directory, only when another user holds the ordinary name
LONGEST_PATH_BYTES = 103  # macOS; Linux would take 107


def choose_socket_folder(cluster: Path, user: ServerUser) -> Path:
    """The folder for the socket of `cluster`, not made here: the same one for the same data folder and user, until another user of the
    machine holds its name and `make_socket_folder` remembers another one.

    Clients read a comma in a host as the border between two hosts, so a path that has one will not do either.
    Raises EmbeddedServerError when no folder for temporary files is short and open enough.
    """
    if _will_do(cluster):
        return cluster
    if remembered := _remembered(cluster):
        return remembered
    name = f"lead-signals-{user.uid}-{hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]}"
    for place in (Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve()):  # noqa: S108 - the folder in it is private, and checked
        if _will_do(place / name) and closed_part(place, user) is None:
            return place / name
    raise EmbeddedServerError(
        f"{cluster} is too long a path for a socket ({LONGEST_PATH_BYTES} bytes with /{SOCKET_NAME}), and no folder for temporary files "
        "can take it: choose a shorter --data-dir, or set TMPDIR."
    )


def _will_do(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_PATH_BYTES and "," not in str(folder)


def _remembered(cluster: Path) -> Path | None:
    try:
        opened = open_own_file(cluster.parent / REMEMBERED, os.O_RDONLY, make=False)
    except OSError:
        return None
    with os.fdopen(opened, "rb") as file:
        folder = Path(os.fsdecode(file.read(LONGEST_PATH_BYTES)))
    return folder if folder.is_absolute() and _will_do(folder) else None


def make_socket_folder(folder: Path, cluster: Path, user: ServerUser) -> Path:
    """Make the private short folder, or accept the one there is; when its name is somebody else's, make one of another name and remember
    it in the data directory. Returns the folder. Raises EmbeddedServerError when the other name is too long."""
    with contextlib.suppress(FileExistsError):
        return _make(folder, user)
    status = folder.lstat()
    if stat.S_ISDIR(status.st_mode) and status.st_uid == user.uid and stat.S_IMODE(status.st_mode) == 0o700:
        return folder
    other = folder.with_name(f"lead-signals-{secrets.token_hex(8)}")
    if not _will_do(other):
        raise EmbeddedServerError(f"{folder} is not ours or is open to others: remove it, or choose a shorter --data-dir.")
    file = open_own_file(cluster.parent / REMEMBERED, os.O_WRONLY)
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, os.fsencode(_make(other, user)), 0)
    finally:
        os.close(file)
    return other


def _make(folder: Path, user: ServerUser) -> Path:
    folder.mkdir(mode=0o700)
    if user.is_somebody_else:
        give_folder(folder, user.uid, user.gid, 0o700)
    return folder
