"""Mounts and networks that belong to this run alone, and end with it.

The run takes a mount namespace of its own at its start, so that even a run killed outright leaves no mount on the machine.
"""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000  # linux/sched.h
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1  # linux/sockios.h, linux/if.h


class IsolationError(Exception):
    """The machine does not let us have mounts or a network of our own; the message says what is needed."""


def own_mounts() -> None:
    """From here on, what this process mounts is seen by it and its children only."""
    _unshare(_CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


def own_network() -> None:
    """From here on, this process and its children have a network with nothing but a loopback of their own.

    The image's command can then listen where it says (0.0.0.0:8000) and reach nothing and nobody outside.
    """
    _unshare(_CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        fcntl.ioctl(door, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def _unshare(flag: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flag) != 0:
        raise IsolationError(f"{os.strerror(ctypes.get_errno())}: run this as root, on a machine where root may make namespaces")


@contextmanager
def lent(tree: Path, things: Mapping[str, Path]) -> Iterator[None]:
    """Inside the block the tree has /proc, shared memory, this machine's resolver, and `things` (path inside → ours), read-only.

    What had to be made to hang them on is taken away again.
    """
    with ExitStack() as stack:
        stack.enter_context(_mounted(["--types", "proc", "proc"], tree / "proc"))
        stack.enter_context(_mounted(["--types", "tmpfs", "tmpfs"], tree / "dev/shm"))
        for inside, ours in {"/etc/resolv.conf": Path("/etc/resolv.conf"), "/etc/hosts": Path("/etc/hosts"), **things}.items():
            target = tree / inside.lstrip("/")
            stack.enter_context(_hook(target, ours.is_dir()))
            stack.enter_context(_mounted(["--bind", "--options", "ro", str(ours)], target))
        yield


@contextmanager
def read_only(tree: Path) -> Iterator[None]:
    """Inside the block nothing of the tree can be written but /tmp, as `read_only: true` of compose has it.

    What was lent to the tree before stays lent.
    """
    with _mounted(["--rbind", str(tree)], tree):
        subprocess.run(["mount", "--options", "remount,bind,ro", str(tree)], check=True)
        with _mounted(["--types", "tmpfs", "--options", "size=64m", "tmpfs"], tree / "tmp"):
            yield


@contextmanager
def _mounted(what: list[str], target: Path) -> Iterator[None]:
    subprocess.run(["mount", *what, str(target)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(target)], check=True)


@contextmanager
def _hook(target: Path, folder: bool) -> Iterator[None]:
    """Something to mount on; taken away afterwards with the folders made for it."""
    made = []
    for parent in reversed(target.parents):
        if not parent.exists():
            parent.mkdir()
            made.append(parent)
    if not target.exists():
        target.mkdir() if folder else target.touch()
        made.append(target)
    try:
        yield
    finally:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()


def remove(folder: Path) -> None:
    """Delete a folder of trees, but never through a mount into something that is not ours."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    inside = [mount for mount in mounts if mount.startswith(f"{folder}/")]
    if inside:
        raise IsolationError(f"still mounted, so {folder} was not deleted: {', '.join(inside)}")
    shutil.rmtree(folder)
