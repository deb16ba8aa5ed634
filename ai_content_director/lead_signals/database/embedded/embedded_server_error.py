"""What is said when the embedded server cannot be had."""

import errno

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NO_FOLDER = {errno.EEXIST, errno.ENOTDIR}
_NO_ACCESS = {errno.EACCES, errno.EPERM}


class EmbeddedServerError(Exception):
    """The embedded server cannot start or stop; the message says what was wrong, where, and what to do."""


class DirectoryInUseError(EmbeddedServerError):
    """Another process of ours holds the data directory; its server may be used as it is."""


def explain_refused_file(error: OSError, place: object) -> EmbeddedServerError:
    """The sentence for what the operating system refused while we worked in `place` (a path)."""
    where = error.filename or place
    if error.errno in _NO_SPACE:
        return EmbeddedServerError(f"No space left on the disk of {where}: free some space, or choose another --data-dir.")
    if error.errno == errno.EROFS:
        return EmbeddedServerError(f"{where} is on a read-only file system: choose another --data-dir.")
    if error.errno in _NO_ACCESS:
        return EmbeddedServerError(
            f"We may not read or write {where}: give the user who starts us access to it, or choose another --data-dir."
        )
    if error.errno in _NO_FOLDER:
        return EmbeddedServerError(f"{where} is in the way, a file where a folder should be: remove it, or choose another --data-dir.")
    return EmbeddedServerError(f"{where}: {error.strerror or error}. Put this right, or choose another --data-dir.")


def explain_output(output: str) -> str:
    """What to do, read from the last words of a PostgreSQL program; an empty text when they name no cause we know."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return " The disk is full: free some space, or choose another --data-dir."
    if "Read-only file system" in output:
        return " The file system is read-only: choose another --data-dir."
    return ""
