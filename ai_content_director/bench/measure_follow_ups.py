"""How many follow-ups a second leave for a receiver, and how soon it hears of a fresh comment, on a light day and behind a backlog."""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bench.api_process import ApiProcess, api_processes
from bench.bench_error import BenchError
from bench.clean_server import CleanServer, clean_server
from bench.cores_by_role import CoresByRole
from bench.follow_ups_result import FollowUpsResult, Freshness, Rate, Sample, Sender, freshness, kept, slices
from bench.fresh_comments import FreshComments
from bench.machine import this_machine
from bench.plain_sender import plain_table, post_alone, send_plainly
from bench.process_usage import cpu_seconds_of, cpu_seconds_of_family, memory_of
from bench.product_process import ProductProcess
from bench.sink_process import Sink, sink_process
from bench.worker_process import worker_processes
from bench.write_backlog import write_backlog
from lead_signals import clock
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session

DISK_SECONDS = 1.0
AT_ONCE = 20  # deliveries of one worker to one endpoint
CONNECTIONS = 100  # of workers, API and plain loops together
STALLED_SECONDS = 60.0  # without a single arrival
POLL_SECONDS = 0.05
PAGES = {"fresh": "107730012001", "backlog": "107730012002"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FollowUpsOptions:
    """`light_seconds` at `light_per_second`, then the backlog with `fresh_per_second` beside it; the sink answers after `answer_ms`."""

    backlog: int = 100_000
    workers: int = 1
    light_seconds: float = 20.0
    light_per_second: float = 10.0
    fresh_per_second: float = 20.0
    answer_ms: float = 5.0
    plain_seconds: float = 8.0
    parent: Path | None = None


def measure_follow_ups(options: FollowUpsOptions, say: Say) -> FollowUpsResult:
    """Everything, one after the other, on a server and on processes that are gone afterwards. `say` takes a line of progress.

    Raises BenchError, and EmbeddedServerError when PostgreSQL cannot be started.
    """
    began = time.monotonic()
    say("Starting a clean PostgreSQL …")
    with clean_server(options.parent, CONNECTIONS) as server, sink_process(options.answer_ms) as sink:
        secret = secrets.token_hex(16)
        environment = {
            "DATABASE_URL": server.addresses.app,
            "FACEBOOK_APP_SECRET": secret,
            "WEBHOOK_URL": sink.url,
            "WEBHOOK_SIGNING_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        tenants = asyncio.run(_onboard_tenants(server.addresses))
        say("Starting the API …")
        with api_processes(1, environment, server.folder) as (api,):
            run = _Run(options=options, server=server, sink=sink, api=api, environment=environment, secret=secret.encode(), say=say)
            return run.measure(tenants["backlog"], began)


async def _onboard_tenants(addresses: DatabaseAddresses) -> dict[str, UUID]:
    engine = app_engine(addresses.app, application_name="lead-signals bench", pool_size=1)
    tenants = {}
    try:
        for name, page in PAGES.items():
            tenants[name] = (await onboard_tenant(engine, Onboarding(tenant_name=f"Xưởng Gốm Bến Đá ({name})"))).tenant.id
            async with tenant_session(engine, tenants[name]) as session:
                await connect_channel(session, tenants[name], platform="facebook", external_id=page, name="Gốm Bến Đá")
    finally:
        await engine.dispose()
    return tenants


class _Run:
    """One run on a stage that stands: what is measured in which order."""

    def __init__(
        self,
        *,
        options: FollowUpsOptions,
        server: CleanServer,
        sink: Sink,
        api: ApiProcess,
        environment: dict[str, str],
        secret: bytes,
        say: Say,
    ) -> None:
        self._options = options
        self._server = server
        self._sink = sink
        self._api = api
        self._environment = environment
        self._secret = secret
        self._say = say
        self._promises = 0

    def measure(self, backlog_tenant: UUID, began: float) -> FollowUpsResult:
        """The whole run."""
        machine = this_machine(self._server.folder, seconds=min(DISK_SECONDS, self._options.plain_seconds))
        light, fresh_on_a_light_day = self._light_day()
        self._write_backlog(backlog_tenant)
        drain, fresh_meanwhile, peak_mib, samples = self._drain()
        arrivals = self._sink.arrivals()
        say_states = "SELECT 'msg_' || replace(id::text, '-', '') AS webhook_id, state FROM follow_ups"
        states = {row["webhook_id"]: row["state"] for row in self._server.fetch(say_states)}
        return FollowUpsResult(
            measured_at=clock.now(),
            rates=[light, drain, *self._plain_rates()],
            freshness=[fresh_on_a_light_day, fresh_meanwhile],
            slices=slices([arrival.at for arrival in arrivals if arrival.comment_id.startswith("backlog_")], samples),
            kept=kept(states, arrivals),
            took_seconds=time.monotonic() - began,
            backlog=self._options.backlog,
            workers=self._options.workers,
            fresh_per_second=self._options.fresh_per_second,
            answer_ms=self._options.answer_ms,
            machine=machine,
            postgres_settings=self._server.settings,
            worker_peak_mib=peak_mib,
        )

    def _light_day(self) -> tuple[Rate, Freshness]:
        """A few comments a second, and nothing else to do."""
        options = self._options
        comments = self._comments("fresh", options.light_per_second)
        with worker_processes(options.workers, self._environment, self._server.folder) as workers:
            ends = time.perf_counter() + options.light_seconds
            self._begin(f"{options.light_per_second:g} urgent comments a second for {options.light_seconds:g} s")
            with (meter := self._meter(workers)):
                began, had = time.perf_counter(), self._sink.count()
                due_at = comments.send_until(lambda: time.perf_counter() >= ends)
                self._promises += len(due_at) - comments.refused
                self._wait_for_arrivals(workers)
                came, seconds = self._sink.count() - had, time.perf_counter() - began
        fresh = freshness(Sender.LIGHT, due_at, comments.refused, self._sink.arrivals())
        self._say(f"    p95 {fresh.p95_ms or 0:,.0f} ms from the comment to the receiver")
        return Rate(Sender.LIGHT, AT_ONCE * options.workers, came, seconds, meter.busy), fresh

    def _write_backlog(self, tenant_id: UUID) -> None:
        """While no worker runs: one comment through the door, and as many like it as were asked for."""
        self._say(f"Writing {self._options.backlog:,} follow-ups that are owed …")
        self._comments("backlog", 1.0).send_one()
        write_backlog(self._server, tenant_id, self._options.backlog)
        self._promises += self._options.backlog + 1

    def _drain(self) -> tuple[Rate, Freshness, float | None, Sequence[Sample]]:
        """The workers come back, find all of it, and comments do not stop coming."""
        options = self._options
        comments = self._comments("fresh", options.fresh_per_second)
        self._begin(f"Draining {options.backlog:,} while {options.fresh_per_second:g} comments a second come")
        had = self._sink.count()
        with worker_processes(options.workers, self._environment, self._server.folder) as workers:
            with (meter := self._meter(workers)):
                watch, samples = _Watch(self._sink, workers), [Sample(0, self._core_seconds(workers))]

                def is_over() -> bool:
                    over = watch.has_come(had + options.backlog)
                    samples.append(Sample(watch.seen - had, self._core_seconds(workers)))
                    return over

                due_at = comments.send_until(is_over)
                self._promises += len(due_at) - comments.refused
                self._wait_for_arrivals(workers)
            peaks = [memory.peak for worker in workers if (memory := memory_of(worker.pid)) is not None]
        arrivals = self._sink.arrivals()
        drained = [arrival.at for arrival in arrivals[had:]]
        rate = Rate(Sender.DRAIN, AT_ONCE * options.workers, len(drained), drained[-1] - drained[0], meter.busy)
        fresh = freshness(Sender.DRAIN, due_at, comments.refused, arrivals)
        self._say(f"    {rate.per_second:,.0f} deliveries/s; fresh ones p95 {fresh.p95_ms or 0:,.0f} ms")
        return rate, fresh, max(peaks) / 1024 if peaks else None, samples

    def _core_seconds(self, workers: Sequence[ProductProcess]) -> float:
        """What those have computed so far whose work a delivery is; 0 where /proc does not tell."""
        seconds = [cpu_seconds_of_family(self._server.pid), *(cpu_seconds_of(worker.pid) for worker in workers)]
        return sum(second for second in seconds if second is not None)

    def _plain_rates(self) -> Sequence[Rate]:
        options, rates = self._options, []
        for sender, loops in ((Sender.PLAIN_ONE, 1), (Sender.PLAIN_MANY, AT_ONCE)):
            plain_table(self._server, options.backlog)
            self._begin(f"The plain loop, {loops} at once, {options.plain_seconds:g} s")
            meter = self._meter([])
            done, took = send_plainly(self._server, self._sink.url, loops=loops, seconds=options.plain_seconds, meter=meter)
            rates.append(Rate(sender, loops, done, took, meter.busy))
        body = self._server.fetch("SELECT body FROM follow_ups LIMIT 1")[0]["body"]
        self._begin(f"The POST alone, {AT_ONCE} at once")
        meter = self._meter([])
        done, took = post_alone(self._sink.url, body, at_once=AT_ONCE, seconds=options.plain_seconds / 2, meter=meter)
        return [*rates, Rate(Sender.NAKED, AT_ONCE, done, took, meter.busy)]

    def _comments(self, page: str, rate: float) -> FreshComments:
        return FreshComments(self._api.port, PAGES[page], self._secret, rate)

    def _begin(self, what: str) -> None:
        """Every measurement begins right after a checkpoint: none pays for the pages that another one changed."""
        self._server.fetch("CHECKPOINT")
        self._say(f"{what} …")

    def _meter(self, workers: Sequence[ProductProcess]) -> CoresByRole:
        roles = {"worker": [worker.pid for worker in workers], "API": [self._api.pid], "sink": [self._sink.pid]}
        return CoresByRole(roles, self._server.pid)

    def _wait_for_arrivals(self, workers: Sequence[ProductProcess]) -> None:
        """Until everything promised so far has come and is settled."""
        watch = _Watch(self._sink, workers)
        while not watch.has_come(self._promises):
            time.sleep(POLL_SECONDS)
        while self._server.fetch("SELECT EXISTS (SELECT FROM follow_ups WHERE finished_at IS NULL)")[0][0]:
            watch.has_come(self._promises)
            time.sleep(POLL_SECONDS)


class _Watch:
    """Looks whether the sink has enough, and whether it goes on at all."""

    def __init__(self, sink: Sink, workers: Sequence[ProductProcess]) -> None:
        self._sink = sink
        self._workers = workers
        self.seen = -1
        self._since = time.monotonic()

    def has_come(self, count: int) -> bool:
        """Raises BenchError when a worker has ended, or nothing has come for a minute."""
        seen = self._sink.count()
        if seen > self.seen:
            self.seen, self._since = seen, time.monotonic()
        elif time.monotonic() - self._since > STALLED_SECONDS and seen < count:
            said = "\n".join(worker.end_of_log() for worker in self._workers)
            raise BenchError(f"Nothing came for {STALLED_SECONDS:g} s; {seen:,} of {count:,} are there. The end of the log:\n{said}")
        if ended := [worker for worker in self._workers if not worker.is_running()]:
            raise BenchError(f"A worker has ended. The end of its log:\n{ended[0].end_of_log()}")
        return seen >= count
