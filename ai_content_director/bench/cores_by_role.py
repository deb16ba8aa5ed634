"""Who kept how many cores busy during a measurement, each role by its processes; PostgreSQL with all its backends."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from bench.process_usage import cpu_seconds_of, cpu_seconds_of_family, cpu_seconds_of_machine

DRIVER, POSTGRES, OTHERS = "driver", "PostgreSQL", "others"


class CoresByRole:
    """`with meter:` around a measurement; `busy` has the cores of each role, 1.0 being one all the time. None where /proc does not tell.

    `driver` is this process itself, `others` everybody who is no part of the bench.
    """

    def __init__(self, roles: Mapping[str, Sequence[int]], postgres_pid: int) -> None:
        self.busy: dict[str, float | None] = {}
        self._roles = roles
        self._postgres_pid = postgres_pid
        self._began = 0.0
        self._before: dict[str, float | None] = {}

    def __enter__(self) -> Self:
        self._began, self._before = time.perf_counter(), self._seconds()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        wall, after = time.perf_counter() - self._began, self._seconds()
        self.busy = {role: _rate(self._before[role], after[role], wall) for role in after}

    def _seconds(self) -> dict[str, float | None]:
        """What each has computed so far."""
        seconds = {role: _sum([cpu_seconds_of(pid) for pid in pids]) for role, pids in self._roles.items()}
        seconds |= {POSTGRES: cpu_seconds_of_family(self._postgres_pid), DRIVER: time.process_time()}
        known, machine = _sum(list(seconds.values())), cpu_seconds_of_machine()
        return {**seconds, OTHERS: None if known is None or machine is None else machine - known}


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _rate(before: float | None, after: float | None, wall: float) -> float | None:
    return None if before is None or after is None else max(after - before, 0.0) / wall
