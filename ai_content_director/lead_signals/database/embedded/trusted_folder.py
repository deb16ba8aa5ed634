"""Where root may work: in folders that nobody else can rearrange under its hands.

Whoever owns a folder, or one on the way to it, can put a link where root is about to write. So root works in folders of root only, and
an ordinary user's data is served by that user.
"""

import os
import pwd
import stat
from pathlib import Path

from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def refuse_folder_of_others(folder: Path) -> None:
    """As root, raise EmbeddedServerError unless `folder` and every folder on the way to it are root's and nobody else may change them.

    A sticky folder (/tmp) will do on the way, since what root makes there stays root's. What does not exist yet is not judged.
    Where we are not root there is nothing to judge: we harm nobody but ourselves.
    """
    for part in (*reversed(folder.parents), folder) if os.geteuid() == 0 else ():
        try:
            status = part.lstat()
        except FileNotFoundError:
            return
        if status.st_uid != 0:
            raise EmbeddedServerError(
                f"{part} belongs to the user {_name_of(status.st_uid)}, and root writes in no folder of others: "
                "start us as that user, or choose another --data-dir."
            )
        if status.st_mode & WRITABLE_BY_OTHERS and (part == folder or not status.st_mode & stat.S_ISVTX):
            raise EmbeddedServerError(
                f"{part} may be written by others than root, who starts us: close it to them (chmod go-w), or choose another --data-dir."
            )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def give_folder(folder: Path, uid: int, gid: int, mode: int) -> None:
    """Give a folder that we have just made to a user and group (-1: as it is), with this mode.

    By a descriptor, not by name: OSError when a link lies there meanwhile, EmbeddedServerError when a folder that is not ours does.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(opened).st_uid != os.geteuid():
            raise EmbeddedServerError(f"{folder} was exchanged while we made it: choose another --data-dir.")
        os.fchown(opened, uid, gid)
        os.fchmod(opened, mode)
    finally:
        os.close(opened)
