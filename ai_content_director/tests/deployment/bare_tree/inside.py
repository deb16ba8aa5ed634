"""Programs inside a bare tree: chroot, a user of the tree, the environment and nothing of this machine's own."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h


class InsideError(Exception):
    """A program inside the tree failed; the message holds the last lines it said."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the tree, by number."""

    uid: int
    gid: int
    home: str


ROOT = Person(0, 0, "/root")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program runs: in which tree, in which directory, as whom, knowing what."""

    tree: Path
    directory: str = "/"
    person: Person = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)


def look_up(tree: Path, user: str) -> Person:
    """The USER of a Dockerfile: `name`, `uid` or `uid:gid`, looked up in the tree's own /etc/passwd."""
    name, _, group = user.partition(":")
    for line in (tree / "etc/passwd").read_text().splitlines():
        login, _, uid, gid, _, home, _ = line.split(":")
        if name in (login, uid):
            return Person(int(uid), int(group or gid), home)
    if name.isdigit():
        return Person(int(name), int(group or 0), "/")
    raise InsideError(f"the tree has no user {name}")


def run_inside(place: Place, command: Sequence[str], *, timeout_seconds: float = 900) -> str:
    """Run a program to its end and return what it said. Raises InsideError when it fails or takes too long."""
    process = start_inside(place, command, subprocess.PIPE)
    try:
        said, _ = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        raise InsideError(f"{' '.join(command)}: not done after {timeout_seconds:.0f} s") from None
    finally:
        stop_group(process)
    text = said.decode(errors="replace")
    if process.returncode != 0:
        raise InsideError(f"{' '.join(command)}: exit status {process.returncode}\n{last_lines(text)}")
    return text


def last_lines(text: str) -> str:
    """The end of what a program said, short enough to read."""
    return "\n".join(line if len(line) <= 400 else f"{line[:200]} … {line[-200:]}" for line in text.splitlines()[-40:])


def start_inside(place: Place, command: Sequence[str], output: int | IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a program in a process group of its own; `output` takes both its streams."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": place.person.home, **place.environment}
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_entering(place),  # noqa: PLW1509 this program has no threads
    )


def _entering(place: Place) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def enter() -> None:
        os.chroot(place.tree)
        os.chdir(place.directory)
        if place.person.uid != 0:
            prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            os.setgroups([])
            os.setgid(place.person.gid)
            os.setuid(place.person.uid)
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a run killed outright takes its programs along

    return enter


def stop_group(process: "subprocess.Popen[bytes]", sign: signal.Signals = signal.SIGTERM, *, timeout_seconds: float = 30) -> int:
    """Ask the program to stop, and return its exit status; kill what is left of its group after the time."""
    if process.poll() is None:
        process.send_signal(sign)
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode


def still_inside(tree: Path) -> list[int]:
    """Processes whose root is this tree: after a stop there are none."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                root = str((entry / "root").readlink())
            except OSError:
                continue  # it ended meanwhile
            if root == str(tree):
                found.append(int(entry.name))
    return found
