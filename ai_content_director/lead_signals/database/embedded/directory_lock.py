"""One of us per data directory: a lock that the kernel drops with its holder, even after kill -9."""

import fcntl
import os
import stat
from pathlib import Path

from lead_signals.database.embedded.embedded_server_error import DirectoryInUseError, EmbeddedServerError


def lock_directory(directory: Path) -> int:
    """Take `<directory>/lock` and write our process id into it; the open file is the lock, closing it gives the lock back.

    The file itself stays: to remove it would let two processes lock two files of one name.
    Raises DirectoryInUseError naming the process that holds it.
    """
    lock = open_own_file(directory / "lock", os.O_RDWR)
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


def open_own_file(path: Path, flags: int, *, make: bool = True) -> int:
    """Open a file of our data directory, made for us alone when it is not there (`make`). A symbolic link is refused (OSError).

    Raises EmbeddedServerError for what is no regular file, has a second name (a hard link), or is somebody else's. Root takes a file of
    others: it works in folders of root only, and who else owns a file there got it from root.
    """
    # Not to wait for the other end of a pipe that somebody laid there; a regular file never waits.
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        opened = os.open(path, flags | (os.O_CREAT | os.O_EXCL if make else 0), 0o600)
    except FileExistsError:
        opened = os.open(path, flags)
    status = os.fstat(opened)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or os.geteuid() not in (0, status.st_uid):
        os.close(opened)
        raise EmbeddedServerError(f"{path} is no file of ours: remove it, or choose another --data-dir.")
    return opened
