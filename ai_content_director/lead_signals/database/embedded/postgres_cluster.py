"""The data folder of the server (PostgreSQL calls it a cluster): is it ours to start, and how an empty one is made.

Nothing that holds data is ever made anew, moved or emptied here.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError, explain_output
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded.server_leftovers import kill_initdb_in
from lead_signals.database.embedded.server_user import ServerUser, closed_part, run_to_end
from lead_signals.database.embedded.trusted_folder import give_folder

SUPERUSER = "postgres"
LOCALES = ("C.UTF-8", "C")


def holds_cluster(cluster: Path, major: int) -> bool:
    """True when `cluster` is data of this major version; False when it is absent or empty, so that one may be made.

    Raises EmbeddedServerError for data of another major version and for a folder that holds something else.
    """
    if not os.path.lexists(cluster):
        return False
    if cluster.is_symlink() or not cluster.is_dir():
        raise EmbeddedServerError(f"{cluster} is not a folder: move it away, or choose another --data-dir.")
    if not any(cluster.iterdir()):
        return False
    try:
        with (cluster / "PG_VERSION").open("rb") as file:
            version = file.read(32).decode(errors="replace").strip()
    except FileNotFoundError:
        raise EmbeddedServerError(
            f"{cluster} is not empty and is no PostgreSQL data (it has no PG_VERSION). Nothing was touched: choose another --data-dir."
        ) from None
    if version != str(major):
        raise EmbeddedServerError(
            f"{cluster} holds data of PostgreSQL {version}, and our programs are version {major}. Nothing was touched: "
            f"dump it with PostgreSQL {version} (pg_dumpall) and load it into an empty --data-dir, or set DATABASE_URL."
        )
    return True


def give_cluster_to(user: ServerUser, cluster: Path) -> None:
    """Make the inside of our data folder what PostgreSQL insists on: owned by the server's user, closed to all others.

    A copy restored by root is where both go wrong. Only root can have something to give away here. Raises EmbeddedServerError for a file
    that has a second name elsewhere (a hard link), whose owner is not ours to change.
    """
    if cluster.stat().st_mode & 0o077:
        cluster.chmod(0o700)
    if user.is_somebody_else and cluster.stat().st_uid != user.uid:
        # From the leaves to the root, by descriptors: until the last step nobody else can enter and lead us elsewhere by a link.
        for folder, _, files, opened in os.fwalk(cluster, topdown=False):
            for name in files:
                _refuse_second_name(Path(folder, name), os.stat(name, dir_fd=opened, follow_symlinks=False))
                os.chown(name, user.uid, user.gid, dir_fd=opened, follow_symlinks=False)
            os.fchown(opened, user.uid, user.gid)


def _refuse_second_name(path: Path, status: os.stat_result) -> None:
    if status.st_nlink > 1:
        raise EmbeddedServerError(
            f"{path} has a second name elsewhere (a hard link): make the data a copy of its own, or choose another --data-dir."
        )


def make_cluster(cluster: Path, binaries: PostgresBinaries, user: ServerUser, deadline: float) -> None:
    """Make an empty cluster (UTF-8, data checksums, trust on the socket and nothing else) at `cluster`.

    It grows beside its final place and is renamed when it is whole and on disk: who is killed here leaves nothing half-made in the way.
    Each attempt has a folder of its own, so that an initdb which outlives a killed one of us cannot write into the next.
    Raises EmbeddedServerError with the last words of initdb.
    """
    for locale in LOCALES:
        _clear_half_made(cluster, user)
        making = Path(tempfile.mkdtemp(prefix=f"{cluster.name}.making-", dir=cluster.parent))
        if user.is_somebody_else:
            give_folder(making, user.uid, user.gid, 0o700)
        status, output = run_to_end(_initdb(making, binaries, user, locale), user, making, deadline)
        if status == 0:
            making.rename(cluster)
            _sync(cluster.parent)
            return
        if "invalid locale name" not in output:
            break
    _clear_half_made(cluster, user)
    last_words = "\n".join(output.strip().splitlines()[-5:])
    raise EmbeddedServerError(
        f"initdb could not make {cluster} (exit status {status}).{explain_output(output)} Its last words:\n{last_words}"
    )


def _initdb(making: Path, binaries: PostgresBinaries, user: ServerUser, locale: str) -> list[str | Path]:
    return [
        *(binaries.initdb, "-D", folder_as_seen_by(user, making)),
        *("-U", SUPERUSER, "--encoding=UTF8", f"--locale={locale}", "--data-checksums"),
        *("--auth-local=trust", "--auth-host=reject", "--no-instructions"),
    ]


def folder_as_seen_by(user: ServerUser, folder: Path) -> str:
    """How a program started in `folder` should name it: by its path, or, when a parent is closed to `user`, as its own working folder.

    /proc/self/cwd leads straight to the folder, without a walk through the parents: no parent has to be opened, no capability granted.
    """
    closed = closed_part(folder, user)
    if closed is None:
        return str(folder)
    if sys.platform != "linux":
        raise EmbeddedServerError(f"{closed} is closed to the user {user.name}, who runs PostgreSQL for root: choose another --data-dir.")
    return "/proc/self/cwd"


def _clear_half_made(cluster: Path, user: ServerUser) -> None:
    """Remove what killed starts left, after the initdb that may still be at it. What resists waits for the next time, in nobody's way."""
    for making in cluster.parent.glob(f"{cluster.name}.making-*"):
        kill_initdb_in(making, user)
        shutil.rmtree(making, ignore_errors=True)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
