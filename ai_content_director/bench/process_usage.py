"""What processes have used, as Linux tells it in /proc. Where there is no /proc, nothing is known and nothing is invented."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """In KiB: resident now, and the most that ever was."""

    resident: int
    peak: int


def memory_of(pid: int) -> Memory | None:
    """The memory of a running process."""
    try:
        lines = (PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        return Memory(resident=int(fields["VmRSS"].split()[0]), peak=int(fields["VmHWM"].split()[0]))
    except (OSError, KeyError):
        return None


def cpu_seconds_of(pid: int) -> float | None:
    """What a running process has computed so far, its threads included."""
    fields = _stat(pid)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def cpu_seconds_of_family(pid: int) -> float | None:
    """The same with its children, those that have ended too: a PostgreSQL server with all its backends."""
    parent = _stat(pid)
    if parent is None:
        return None
    ticks = sum(int(field) for field in parent[11:15])
    for folder in PROC.iterdir():
        if folder.name.isdecimal() and (fields := _stat(int(folder.name))) is not None and int(fields[1]) == pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def cpu_seconds_of_machine() -> float | None:
    """What all cores have computed so far for anybody, the hypervisor's other guests included."""
    try:
        line = (PROC / "stat").read_text(encoding="ascii", errors="replace").splitlines()[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _waits_for_disk, interrupts, soft_interrupts, stolen = map(int, line[1:9])
    return (user + nice + system + interrupts + soft_interrupts + stolen) / TICKS_PER_SECOND


def _stat(pid: int) -> list[str] | None:
    """The fields after the name (which may hold anything): state, parent, … utime is the twelfth, cutime the fourteenth."""
    try:
        return (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
