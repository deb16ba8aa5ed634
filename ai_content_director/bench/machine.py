"""The machine a number was measured on: without it the number says nothing."""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

BLOCK = 4096  # bytes
FILE_BYTES = 16 * 1024 * 1024  # as large as one segment of PostgreSQL's log


@dataclass(frozen=True, slots=True)
class Machine:
    """What it is made of. `syncs_per_second`: 4 KiB written and made durable, one after the other, on the disk of the data."""

    cpu: str
    cores: int
    memory_mib: int
    kernel: str
    python: str
    filesystem: str | None
    syncs_per_second: float


def this_machine(folder: Path, *, seconds: float) -> Machine:
    """Look, and write to the disk below `folder` for so many seconds."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2,
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        filesystem=_filesystem_of(folder),
        syncs_per_second=_syncs_per_second(folder / "syncs", seconds),
    )


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _filesystem_of(folder: Path) -> str | None:
    """None where Linux does not tell."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return None
    place = folder.resolve()
    holding = [(mount, kind) for mount, kind in mounts if place.is_relative_to(mount)]
    return max(holding, key=lambda pair: len(pair[0]))[1] if holding else None


def _syncs_per_second(path: Path, seconds: float) -> float:
    """As PostgreSQL writes its log: over blocks that are there already, then fdatasync."""
    sync = getattr(os, "fdatasync", os.fsync)
    block, syncs = os.urandom(BLOCK), 0
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(file, bytes(FILE_BYTES))
        os.fsync(file)
        begins = time.perf_counter()
        while (passed := time.perf_counter() - begins) < seconds:
            os.pwrite(file, block, syncs * BLOCK % FILE_BYTES)
            sync(file)
            syncs += 1
        return syncs / passed
    finally:
        os.close(file)
        path.unlink()
