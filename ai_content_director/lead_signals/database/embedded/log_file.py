"""A log in the data directory: added to, never led elsewhere by a link, and bounded."""

import contextlib
import os
from pathlib import Path

from lead_signals.database.embedded.directory_lock import open_own_file

LOG_LIMIT_BYTES = 10 * 1024 * 1024


def open_log(path: Path) -> int:
    """The log at `path`, open to be added to. A log over the limit becomes `<path>.1`, and the one before goes.

    Raises OSError, and EmbeddedServerError when what lies there is no file of ours.
    """
    with contextlib.suppress(FileNotFoundError):
        if path.lstat().st_size > LOG_LIMIT_BYTES:
            path.replace(f"{path}.1")
    return open_own_file(path, os.O_WRONLY | os.O_APPEND)
