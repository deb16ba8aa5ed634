"""The two commands on a fresh machine: a clone of the repository in a bare Debian tree, python3 and bash, nothing else."""

import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.deployment.bare_tree.bare_debian import unpack_debian
from tests.deployment.bare_tree.inside import (
    ROOT,
    InsideError,
    Person,
    Place,
    last_lines,
    look_up,
    run_inside,
    start_inside,
    still_inside,
    stop_group,
)
from tests.deployment.bare_tree.isolation import lent
from tests.deployment.bare_tree.proof import Proof
from tests.deployment.bare_tree.runbook_calls import make_runbook_calls, status_of, wait_until

CODENAME = "bookworm"
FIRST_START_SECONDS = 900  # it downloads everything it needs
SECOND_START_SECONDS = 60


def prove_clone(proof: Proof) -> None:
    """`bin/serve` from a fresh clone: as root, then as an ordinary user. Raises at the first thing that is not as promised."""
    tree = proof.workshop / "fresh-machine"
    unpack_debian(proof, CODENAME, tree)
    with lent(tree, proof.machine.things):
        with proof.progress.step("apt-get install python3 python3-venv"):
            # python3-venv: Debian keeps `ensurepip`, a part of Python's standard library, in a package of its own.
            asking = Place(tree, environment={**proof.machine.environment, "DEBIAN_FRONTEND": "noninteractive"})
            run_inside(asking, ["apt-get", "update"])
            run_inside(asking, ["apt-get", "install", "--yes", "--no-install-recommends", "python3", "python3-venv"])
            run_inside(Place(tree), ["useradd", "--create-home", "--shell", "/bin/bash", "an-binh"])
        for person in (ROOT, look_up(tree, "an-binh")):
            _serve_from_a_clone(proof, tree, person)


def _serve_from_a_clone(proof: Proof, tree: Path, person: Person) -> None:
    progress = proof.progress
    who = "root" if person.uid == 0 else "an ordinary user"
    home = f"{person.home}/lead-signals"
    with progress.step(f"git clone, for {who}"):
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(proof.repository), str(tree / home.lstrip("/"))], check=True)
        run_inside(Place(tree), ["chown", "--recursive", f"{person.uid}:{person.gid}", home])
    place = Place(tree, home, person, {**proof.machine.environment, "LANG": "C.UTF-8"})
    with progress.step(f"bin/serve, first start, as {who}, and the runbook's calls"):
        seconds = _serve_once(place, proof.workshop, FIRST_START_SECONDS, calls=True)
    progress.say(f"first start answered after {seconds:.1f} s")
    with progress.step(f"bin/serve, second start, as {who}"):
        seconds = _serve_once(place, proof.workshop, SECOND_START_SECONDS, calls=False)
    progress.say(f"second start answered after {seconds:.1f} s")


def _serve_once(place: Place, workshop: Path, timeout_seconds: float, *, calls: bool) -> float:
    """Start, wait for /health, maybe make the runbook's calls, press Ctrl-C; returns the seconds until /health answered."""
    port = _free_port()
    log = workshop / "serve.log"
    started = time.monotonic()
    with log.open("wb") as output:
        server = start_inside(place, ["bin/serve", "--port", str(port), "--data-dir", f"{place.person.home}/data"], output)
    try:
        health = f"http://127.0.0.1:{port}/health"
        wait_until("/health answers 200", lambda: status_of(health) == 200, lambda: server.poll() is None, timeout_seconds=timeout_seconds)
        seconds = time.monotonic() - started
        if calls:
            make_runbook_calls(f"http://127.0.0.1:{port}")
    except Exception as error:
        raise InsideError(f"{error}\nlast lines of bin/serve:\n" + last_lines(log.read_text(errors="replace"))) from error
    finally:
        stop_group(server, signal.SIGINT)
    left = still_inside(place.tree)
    if left:
        raise InsideError(f"Ctrl-C left processes running: {left}")
    return seconds


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
