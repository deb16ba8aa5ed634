"""Who kept the processor busy during a measurement: with few cores, driver, API and PostgreSQL take them from each other."""

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.process_usage import cpu_seconds_of, cpu_seconds_of_family, cpu_seconds_of_machine


@dataclass(frozen=True, slots=True)
class CoresBusy:
    """1.0 is one core all the time. `driver` is who sends: this process, or pgbench. `others` should be next to nothing.

    None where /proc does not tell.
    """

    api: float | None
    postgres: float | None
    driver: float
    others: float | None


class CoresMeter:
    """`with meter:` around a measurement; `busy` has the answer."""

    def __init__(self, api_pids: Sequence[int], postgres_pid: int) -> None:
        self.busy = CoresBusy(None, None, 0.0, None)
        self._api_pids = api_pids
        self._postgres_pid = postgres_pid
        self._began = 0.0
        self._before = self.busy

    def __enter__(self) -> Self:
        self._began, self._before = time.perf_counter(), self._seconds()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        before, after, wall = self._before, self._seconds(), time.perf_counter() - self._began
        self.busy = CoresBusy(
            api=_rate(before.api, after.api, wall),
            postgres=_rate(before.postgres, after.postgres, wall),
            driver=(after.driver - before.driver) / wall,
            others=_rate(before.others, after.others, wall),
        )

    def _seconds(self) -> CoresBusy:
        """What each has computed so far."""
        of_api = [cpu_seconds_of(pid) for pid in self._api_pids]
        api = None if None in of_api else sum(seconds for seconds in of_api if seconds is not None)
        postgres = cpu_seconds_of_family(self._postgres_pid)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)  # pgbench, once it has ended
        driver = time.process_time() + children.ru_utime + children.ru_stime
        machine = cpu_seconds_of_machine()
        if api is None or postgres is None or machine is None:
            return CoresBusy(api, postgres, driver, None)
        return CoresBusy(api, postgres, driver, machine - api - postgres - driver)


def _rate(before: float | None, after: float | None, wall: float) -> float | None:
    return None if before is None or after is None else max(after - before, 0.0) / wall
