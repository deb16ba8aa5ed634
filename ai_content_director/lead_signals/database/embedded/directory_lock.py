"""One of us per data directory: a lock that the kernel drops with its holder, even after kill -9."""

import fcntl
import os
from pathlib import Path

from lead_signals.database.embedded.embedded_server_error import DirectoryInUseError
from lead_signals.database.embedded.server_user import ServerUser


def lock_directory(directory: Path, user: ServerUser) -> int:
    """Take `<directory>/lock` and write our process id into it; the open file is the lock, closing it gives the lock back.

    The file itself stays: to remove it would let two processes lock two files of one name.
    Raises DirectoryInUseError naming the process that holds it.
    """
    lock = open_own_file(directory / "lock", os.O_RDWR, user)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
        os.close(lock)
        raise DirectoryInUseError(
            f"{directory} is in use by process {holder or '(unknown)'}: stop that process, or choose another --data-dir."
        ) from None
    except BaseException:
        os.close(lock)
        raise
    return lock


def open_own_file(path: Path, flags: int, user: ServerUser) -> int:
    """Open a file of our data directory, made for `user` alone when it is not there. A symbolic link is refused (OSError):
    root works here too, and must not be led elsewhere by the owner of the folder."""
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        made = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    if user.is_somebody_else:
        os.fchown(made, user.uid, user.gid)
    return made
