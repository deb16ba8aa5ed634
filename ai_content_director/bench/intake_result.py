"""What a run of the intake bench found out, as plain values that become a table or JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bench.answers import Answers, percentile
from bench.cores_busy import CoresBusy
from bench.machine import Machine
from bench.process_usage import Memory


class Load(StrEnum):
    """What was done."""

    API_SINGLE = "api_single"
    API_BATCH = "api_batch"
    API_HALF_PEAK = "api_half_peak"
    PGBENCH = "pgbench"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table. Durations are of requests (for pgbench: transactions); errors are answers that were no 200, and none."""

    load: Load
    connections: int
    comments_per_request: int
    requests_per_second: float
    leads_per_second: float
    p50_ms: float | None
    p99_ms: float | None
    errors: Mapping[str, int]
    cores_busy: CoresBusy


@dataclass(frozen=True, slots=True)
class Count:
    """Leads promised and leads found: what was acknowledged over HTTP or committed by pgbench, and what the table holds."""

    sender: str
    acknowledged: int
    stored: int

    @property
    def agrees(self) -> bool:
        """Whether nothing is lost and nothing too many."""
        return self.acknowledged == self.stored


@dataclass(frozen=True, slots=True)
class RowsPerLead:
    """What one lead of a single comment leaves behind in a table: by the API, and by pgbench."""

    table: str
    api_rows: float
    api_bytes: float
    pgbench_rows: float
    pgbench_bytes: float


@dataclass(frozen=True, slots=True)
class ApiMemory:
    """One API process. None where /proc does not tell."""

    before: Memory | None
    after: Memory | None


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """Everything of one run."""

    measured_at: datetime
    took_seconds: float
    seconds: float
    warm_up_seconds: float
    machine: Machine
    postgres_settings: Mapping[str, str]
    measurements: Sequence[Measurement]
    counts: Sequence[Count]
    rows_per_lead: Sequence[RowsPerLead]
    memory: Sequence[ApiMemory]

    @property
    def agrees(self) -> bool:
        """Whether every lead that was promised is there, and no other."""
        return all(count.agrees for count in self.counts)

    def pgbench_at(self, connections: int) -> float | None:
        """Leads a second of the plain design on so many connections, if that was measured."""
        found = [line.leads_per_second for line in self.measurements if line.load is Load.PGBENCH and line.connections == connections]
        return found[0] if found else None

    @property
    def pgbench_best(self) -> float:
        """The most that the plain design did on any number of connections."""
        return max(line.leads_per_second for line in self.measurements if line.load is Load.PGBENCH)


def measurement(load: Load, connections: int, comments_per_request: int, answers: Answers, busy: CoresBusy) -> Measurement:
    """What the answers of one measurement come to."""
    durations = sorted(answers.durations)
    p50, p99 = percentile(durations, 50), percentile(durations, 99)
    return Measurement(
        load=load,
        connections=connections,
        comments_per_request=comments_per_request,
        requests_per_second=answers.requests_per_second,
        leads_per_second=answers.leads_per_second,
        p50_ms=None if p50 is None else p50 * 1000,
        p99_ms=None if p99 is None else p99 * 1000,
        errors=dict(answers.errors),
        cores_busy=busy,
    )
