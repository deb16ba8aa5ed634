"""How many comments a second come in at the door and are leads on the disk, beside what PostgreSQL alone does in the same minutes."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bench.api_process import ApiProcess, api_processes
from bench.clean_server import CleanServer, clean_server
from bench.comment_requests import CommentRequests, comments_of_a_round
from bench.cores_busy import CoresMeter
from bench.intake_result import ApiMemory, Count, IntakeResult, Load, Measurement, RowsPerLead, measurement
from bench.machine import Machine, this_machine
from bench.plain_design import PlainScript, plain_scripts
from bench.process_usage import memory_of
from bench.run_pgbench import find_pgbench, run_pgbench
from bench.send_comments import send_as_fast_as_answered, send_at_rate
from lead_signals import clock
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session

BATCH = 100  # comments in one delivery
BATCH_CONNECTIONS = (1, 8)
HALF_PEAK_CONNECTIONS = 32
DISK_SECONDS = 1.0
NOBODY_LISTENS = "http://127.0.0.1:9/follow-ups"  # promised all the same; without a worker nobody calls

# Each sender has a Page and a tenant of its own, so that its rows can be counted apart.
SINGLES, BATCHES, PLAIN = "single comments", f"{BATCH} a request", "pgbench"
PAGES = {SINGLES: "107730011001", BATCHES: "107730011002", PLAIN: "107730011003"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """`seconds` per measurement; `connections` of the single comments and of pgbench; `parent` folder of what is thrown away."""

    seconds: float = 8.0
    warm_up_seconds: float = 0.5
    connections: Sequence[int] = (1, 8, 32, 128)
    processes: int = 1
    parent: Path | None = None


def measure_intake(options: IntakeOptions, say: Say) -> IntakeResult:
    """Everything, one after the other, on a server and on API processes that are gone afterwards. `say` takes a line of progress.

    Raises BenchError, and EmbeddedServerError when PostgreSQL cannot be started.
    """
    began = time.monotonic()
    find_pgbench()
    say("Starting a clean PostgreSQL …")
    with clean_server(options.parent, max(options.connections)) as server:
        machine = this_machine(server.folder, seconds=min(DISK_SECONDS, options.seconds))
        secret = secrets.token_hex(16)
        environment = {"DATABASE_URL": server.addresses.app, "FACEBOOK_APP_SECRET": secret, "WEBHOOK_URL": NOBODY_LISTENS}
        tenants = asyncio.run(_onboard_tenants(server.addresses))
        say(f"Starting {options.processes} API …")
        with api_processes(options.processes, environment, server.folder) as processes:
            return _Run(options=options, server=server, processes=processes, tenants=tenants, secret=secret.encode(), say=say).measure(
                machine, began
            )


async def _onboard_tenants(addresses: DatabaseAddresses) -> dict[str, UUID]:
    engine = app_engine(addresses.app, application_name="lead-signals bench", pool_size=1)
    tenants = {}
    try:
        for sender, page in PAGES.items():
            onboarded = await onboard_tenant(engine, Onboarding(tenant_name=f"Xưởng Gốm Bến Đá ({sender})"))
            tenants[sender] = onboarded.tenant.id
            async with tenant_session(engine, onboarded.tenant.id) as session:
                await connect_channel(session, onboarded.tenant.id, platform="facebook", external_id=page, name="Gốm Bến Đá")
    finally:
        await engine.dispose()
    return tenants


class _Run:
    """One run on a stage that stands: what is measured in which order, and what was acknowledged on the way."""

    def __init__(
        self,
        *,
        options: IntakeOptions,
        server: CleanServer,
        processes: Sequence[ApiProcess],
        tenants: dict[str, UUID],
        secret: bytes,
        say: Say,
    ) -> None:
        self._options = options
        self._server = server
        self._ports = [process.port for process in processes]
        self._pids = [process.pid for process in processes]
        self._tenants = tenants
        self._say = say
        self._requests = {sender: CommentRequests(page, secret, f"127.0.0.1:{self._ports[0]}") for sender, page in PAGES.items()}
        self._acknowledged: Counter[str] = Counter()

    def measure(self, machine: Machine, began: float) -> IntakeResult:
        """The whole run; memory is looked at before the first delivery and after the last."""
        memory_before = [memory_of(pid) for pid in self._pids]
        scripts = self._prepare_plain_design()
        measurements: list[Measurement] = []
        for connections in self._options.connections:
            measurements += [self._singles(connections), self._pgbench(connections, scripts)]
        measurements += [self._batches(connections) for connections in BATCH_CONNECTIONS]
        peak = max(line.requests_per_second for line in measurements if line.load is Load.API_SINGLE)
        measurements.append(self._half_of(peak))
        memory_after = [memory_of(pid) for pid in self._pids]
        self._say("Counting …")
        return IntakeResult(
            measured_at=clock.now(),
            took_seconds=time.monotonic() - began,
            seconds=self._options.seconds,
            warm_up_seconds=self._options.warm_up_seconds,
            machine=machine,
            postgres_settings=self._server.settings,
            measurements=measurements,
            counts=[self._count(sender) for sender in PAGES],
            rows_per_lead=self._rows_per_lead(),
            memory=[ApiMemory(before, after) for before, after in zip(memory_before, memory_after, strict=True)],
        )

    def _prepare_plain_design(self) -> list[PlainScript]:
        """The product takes each sentence once for pgbench's tenant: pgbench then does what it finds there, in the same shares."""
        requests, meter = self._requests[PLAIN], self._meter()
        answers = send_at_rate(self._ports, 8, comments_of_a_round() * 1.0, lambda: requests.of(1), seconds=1.0, meter=meter)
        self._acknowledged[PLAIN] += answers.created
        return plain_scripts(self._server, self._tenants[PLAIN])

    def _singles(self, connections: int) -> Measurement:
        return self._closed_loop(Load.API_SINGLE, SINGLES, connections, comments=1)

    def _batches(self, connections: int) -> Measurement:
        return self._closed_loop(Load.API_BATCH, BATCHES, connections, comments=BATCH)

    def _closed_loop(self, load: Load, sender: str, connections: int, *, comments: int) -> Measurement:
        self._begin(f"API, {comments} a request, {connections} connections")
        requests, meter = self._requests[sender], self._meter()
        warm_up, measured = send_as_fast_as_answered(
            self._ports,
            connections,
            lambda: requests.of(comments),
            warm_up_seconds=self._options.warm_up_seconds,
            seconds=self._options.seconds,
            meter=meter,
        )
        self._acknowledged[sender] += warm_up.created + measured.created
        measured.errors += warm_up.errors
        return self._end(measurement(load, connections, comments, measured, meter.busy))

    def _half_of(self, peak: float) -> Measurement:
        self._begin(f"API, 1 a request, {peak / 2:.0f} a second on {HALF_PEAK_CONNECTIONS} connections")
        requests, meter = self._requests[SINGLES], self._meter()
        answers = send_at_rate(
            self._ports, HALF_PEAK_CONNECTIONS, peak / 2, lambda: requests.of(1), seconds=self._options.seconds, meter=meter
        )
        self._acknowledged[SINGLES] += answers.created
        return self._end(measurement(Load.API_HALF_PEAK, HALF_PEAK_CONNECTIONS, 1, answers, meter.busy))

    def _pgbench(self, connections: int, scripts: Sequence[PlainScript]) -> Measurement:
        self._begin(f"pgbench, {connections} connections")
        meter = self._meter()
        answers = run_pgbench(
            self._server,
            self._tenants[PLAIN],
            scripts,
            connections,
            warm_up_seconds=self._options.warm_up_seconds,
            seconds=self._options.seconds,
            meter=meter,
        )
        self._acknowledged[PLAIN] += answers.created
        return self._end(measurement(Load.PGBENCH, connections, 1, answers, meter.busy))

    def _begin(self, what: str) -> None:
        """Every measurement begins right after a checkpoint: none pays for the pages that another one changed."""
        self._server.fetch("CHECKPOINT")
        self._say(f"{what}, {self._options.seconds:g} s …")

    def _end(self, measured: Measurement) -> Measurement:
        errors = f", {sum(measured.errors.values())} errors" if measured.errors else ""
        self._say(f"    {measured.leads_per_second:,.0f} leads/s{errors}")
        return measured

    def _meter(self) -> CoresMeter:
        return CoresMeter(self._pids, self._server.pid)

    def _count(self, sender: str) -> Count:
        stored = self._server.fetch("SELECT count(*) FROM lead_signals WHERE tenant_id = $1", self._tenants[sender])[0][0]
        return Count(sender, self._acknowledged[sender], stored)

    def _rows_per_lead(self) -> list[RowsPerLead]:
        """Each table in which a lead leaves something: what pgbench wrote must be what the API writes."""
        tables = self._server.fetch(
            "SELECT c.table_name::text FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_type = 'BASE TABLE' ORDER BY 1"
        )
        api_leads, plain_leads = self._count(SINGLES).stored or 1, self._count(PLAIN).stored or 1
        found = []
        for (table,) in tables:
            size = f"SELECT count(*), coalesce(sum(pg_column_size(t.*)), 0)::bigint FROM {table} t WHERE tenant_id = $1"
            (api_rows, api_bytes), (rows, size_bytes) = (self._server.fetch(size, self._tenants[sender])[0] for sender in (SINGLES, PLAIN))
            line = RowsPerLead(table, api_rows / api_leads, api_bytes / api_leads, rows / plain_leads, size_bytes / plain_leads)
            if max(line.api_rows, line.pgbench_rows) > 0.05:
                found.append(line)
        return found
