"""Where the server's socket lies: in the data folder, which only its user can enter, or in a private folder with a shorter path."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.server_user import ServerUser, closed_part

PORT = 5432  # only a part of the socket's name: nothing listens on the network
SOCKET_NAME = f".s.PGSQL.{PORT}"
LONGEST_PATH_BYTES = 103  # macOS; Linux would take 107


def choose_socket_folder(cluster: Path, user: ServerUser) -> Path:
    """The folder for the socket of `cluster`; always the same one for the same data folder and user, and not made here.

    Clients read a comma in a host as the border between two hosts, so a path that has one will not do either.
    Raises EmbeddedServerError when no folder for temporary files is short and open enough.
    """
    if _will_do(cluster):
        return cluster
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


def make_socket_folder(folder: Path, user: ServerUser) -> None:
    """Make the private short folder, or accept the one there is. Raises EmbeddedServerError when somebody else laid it there."""
    try:
        folder.mkdir(mode=0o700)
        if user.is_somebody_else:
            os.chown(folder, user.uid, user.gid)
    except FileExistsError:
        pass
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != user.uid or stat.S_IMODE(status.st_mode) != 0o700:
        raise EmbeddedServerError(f"{folder} is not ours or is open to others: remove it, or choose a shorter --data-dir.")
