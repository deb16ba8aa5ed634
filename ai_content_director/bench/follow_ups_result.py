"""What a run of the follow-ups bench found out, as plain values that become a table or JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bench.answers import percentile
from bench.cores_by_role import DRIVER, POSTGRES
from bench.machine import Machine
from bench.sink_process import Arrival

SLICE = 0.1  # of the backlog: its first and its last part are compared


class Sender(StrEnum):
    """Who called the sink."""

    LIGHT = "light"
    DRAIN = "drain"
    PLAIN_ONE = "plain_one"
    PLAIN_MANY = "plain_many"
    NAKED = "naked"


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of the table. `cores_busy` by role; None where /proc does not tell."""

    sender: Sender
    at_once: int
    deliveries: int
    seconds: float
    cores_busy: Mapping[str, float | None]

    @property
    def per_second(self) -> float:
        """Deliveries a second."""
        return self.deliveries / self.seconds

    @property
    def per_core_second(self) -> float | None:
        """Deliveries for each second of a core that sender and PostgreSQL took: hardly moved by whoever else is busy on the machine."""
        sender = self.cores_busy.get("worker" if self.sender in (Sender.LIGHT, Sender.DRAIN) else DRIVER)
        postgres = self.cores_busy.get(POSTGRES)
        return None if sender is None or postgres is None or sender + postgres == 0 else self.per_second / (sender + postgres)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long comments took from the moment their POST was due to the arrival of their follow-up at the sink, in ms."""

    sender: Sender
    comments: int
    refused: int
    p50_ms: float | None
    p95_ms: float | None
    max_ms: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A look during the drain: how much had come, fresh ones among it, and what workers and PostgreSQL had computed until then."""

    arrived: int
    core_seconds: float


@dataclass(frozen=True, slots=True)
class Slices:
    """Deliveries a second of the backlog's first and last part, in the order of their arrival; and for each second of a core that workers
    and PostgreSQL took meanwhile, which neighbours hardly move (None when it was drained between two looks)."""

    first_per_second: float
    last_per_second: float
    first_per_core_second: float | None = None
    last_per_core_second: float | None = None

    @property
    def last_of_first(self) -> float:
        """1.0: as fast at the end as at the beginning."""
        return self.last_per_second / self.first_per_second


@dataclass(frozen=True, slots=True)
class Kept:
    """Promises by webhook-id: what the tables owe, what came, what came more than once, what nobody promised."""

    promised: int
    arrived: int
    lost: int
    repeated: int
    unknown: int
    not_delivered: int  # by their state in the tables

    @property
    def agrees(self) -> bool:
        """Whether each came exactly once, and is known to have come."""
        return self.lost == self.repeated == self.unknown == self.not_delivered == 0


@dataclass(frozen=True, slots=True)
class FollowUpsResult:
    """Everything of one run."""

    measured_at: datetime
    took_seconds: float
    backlog: int
    workers: int
    fresh_per_second: float
    answer_ms: float
    machine: Machine
    postgres_settings: Mapping[str, str]
    rates: Sequence[Rate]
    freshness: Sequence[Freshness]
    slices: Slices
    kept: Kept
    worker_peak_mib: float | None

    def rate_of(self, sender: Sender) -> Rate:
        """The line of this sender."""
        return next(rate for rate in self.rates if rate.sender is sender)


def freshness(sender: Sender, due_at: Mapping[str, float], refused: int, arrivals: Sequence[Arrival]) -> Freshness:
    """Of the comments in `due_at`, by their first arrival. What never arrived is missing here and counted as lost elsewhere."""
    came: dict[str, float] = {}
    for arrival in arrivals:
        came.setdefault(arrival.comment_id, arrival.at)
    took = sorted((came[comment_id] - due) * 1000 for comment_id, due in due_at.items() if comment_id in came)
    return Freshness(sender, len(due_at), refused, percentile(took, 50), percentile(took, 95), took[-1] if took else None)


def slices(moments: Sequence[float], samples: Sequence[Sample] = ()) -> Slices:
    """Of the backlog's arrivals, in their order, and of the looks at them."""
    part = max(int(len(moments) * SLICE), 1)
    first, last = moments[part] - moments[0], moments[-1] - moments[-1 - part]
    early = [sample for sample in samples if sample.arrived <= part]
    late = [sample for sample in samples if len(moments) - part <= sample.arrived <= len(moments)]
    return Slices(part / first, part / last, _per_core_second(early), _per_core_second(late))


def _per_core_second(samples: Sequence[Sample]) -> float | None:
    if len(samples) < 2 or samples[-1].core_seconds <= samples[0].core_seconds:
        return None
    return (samples[-1].arrived - samples[0].arrived) / (samples[-1].core_seconds - samples[0].core_seconds)


def kept(states: Mapping[str, str], arrivals: Sequence[Arrival]) -> Kept:
    """`states` of all promises by their webhook-id, beside all that arrived."""
    came = {arrival.webhook_id for arrival in arrivals}
    return Kept(
        promised=len(states),
        arrived=len(came),
        lost=len(states.keys() - came),
        repeated=len(arrivals) - len(came),
        unknown=len(came - states.keys()),
        not_delivered=sum(state != "delivered" for state in states.values()),
    )
