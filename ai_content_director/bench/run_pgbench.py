"""Run pgbench on the scripts of the plain design, and read every transaction from its log."""

import math
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from uuid import UUID

from bench.answers import Answers
from bench.bench_error import BenchError
from bench.clean_server import CleanServer
from bench.plain_design import PlainScript
from lead_signals.database.embedded.postgres_binaries import embedded_binaries
from lead_signals.end_with_parent import end_with_parent

DEBIAN = Path("/usr/lib/postgresql")
SAID_SHOWN_CHARACTERS = 1500
_RUNS = count(100_000)


def find_pgbench() -> Path:
    """pgbench of the embedded PostgreSQL, or of the newest one that Debian installed. Raises BenchError when there is none."""
    debian = sorted(DEBIAN.glob("*/bin/pgbench"), key=lambda path: float(path.parts[-3]), reverse=True)
    elsewhere = shutil.which("pgbench")
    for program in (embedded_binaries().directory / "pgbench", *debian, *([Path(elsewhere)] if elsewhere else [])):
        if program.is_file():
            return program
    raise BenchError("There is no pgbench, beside the embedded PostgreSQL or elsewhere: install one (Debian: apt-get install postgresql).")


def run_pgbench(
    server: CleanServer,
    tenant_id: UUID,
    scripts: Sequence[PlainScript],
    connections: int,
    *,
    warm_up_seconds: float,
    seconds: float,
    meter: AbstractContextManager[object],
) -> Answers:
    """As many transactions as go through on so many connections, logged in as the application.

    Counted are `seconds` after the warm-up, in which each connection also prepares its statements. `created` has all transactions.
    Raises BenchError with what pgbench said when one of them failed.
    """
    with tempfile.TemporaryDirectory(prefix="pgbench-", dir=server.folder) as folder:
        command: list[str | Path] = [find_pgbench(), "--no-vacuum", "--protocol=prepared", "--log", f"--log-prefix={folder}/log"]
        for number, script in enumerate(scripts):
            path = Path(folder, f"{number}.sql")
            path.write_text(script.text, encoding="utf-8")
            command.append(f"--file={path}@{script.weight}")
        command += [f"--client={connections}", f"--jobs={min(connections, os.cpu_count() or 1)}"]
        command += [f"--time={math.ceil(warm_up_seconds + seconds)}"]
        command += [f"--define=tenant={tenant_id}", f"--define=run={next(_RUNS)}", "--define=n=0", server.addresses.app]
        with meter:
            _run_to_end(command)
        return _read_logs(Path(folder), warm_up_seconds, seconds)


def _run_to_end(command: Sequence[str | Path]) -> None:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        start_new_session=True,
        preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one call of an already loaded C function
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        process.communicate()
        raise
    said = output.decode(errors="replace")
    if process.returncode != 0 or "number of failed transactions: 0 " not in said:
        raise BenchError(f"pgbench ended with status {process.returncode}. It said:\n{said[-SAID_SHOWN_CHARACTERS:]}")


def _read_logs(folder: Path, warm_up_seconds: float, seconds: float) -> Answers:
    """Each line: client, transaction, microseconds it took, script, and when it ended (seconds, microseconds)."""
    lines = [line.split() for path in folder.glob("log.*") for line in path.read_text(encoding="ascii").splitlines()]
    transactions = [(int(line[4]) + int(line[5]) / 1e6, int(line[2]) / 1e6) for line in lines]
    starts = min((ended - took for ended, took in transactions), default=0.0) + warm_up_seconds
    answers = Answers(starts, starts + seconds)
    for ended, took in transactions:
        if ended < starts:
            answers.created += 1
        else:
            answers.take(200, 1, ended - took, ended)
    return answers
