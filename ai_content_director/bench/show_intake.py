"""The result of the intake bench as a table for people (plain text, to be pasted into a document) and as JSON for programs."""

from dataclasses import asdict
from typing import Any

import orjson

from bench.intake_result import IntakeResult, Load, Measurement
from bench.table_columns import table_columns

NOTHING = "–"
HEADINGS = (
    "",
    "connections",
    "requests/s",
    "leads/s",
    "p50 ms",
    "p99 ms",
    "of pgbench",
    "of its best",
    "cores: API",
    "PostgreSQL",
    "driver",
    "others",
    "errors",
)
NOTES = """\
API         signed deliveries over HTTP from another process, each naming only its Page; answered after the commit
pgbench     the same rows for the same share of urgent comments, one prepared transaction each, as the application inside the
            tenant's wall, no HTTP, no reading and understanding, no NOTIFY: the machine's limit for the plain design
of pgbench  leads/s beside pgbench's on as many connections, and beside the best of all its lines
cores       how many were kept busy by API, PostgreSQL, driver (who sends: the bench itself, or pgbench) and by others: when
            those took much, measure again on a quiet machine
half        sent at a fixed rate of half the best single-comment rate; durations count from when a delivery was due"""


def show_intake(result: IntakeResult) -> str:
    """The whole report."""
    return "\n\n".join((_circumstances(result), _table(result), _counts(result), _rows(result), _memory(result), NOTES)) + "\n"


def intake_json(result: IntakeResult) -> bytes:
    """Everything that was measured, with the ratios."""
    lines: list[dict[str, Any]] = []
    for line in result.measurements:
        same, best = _ratios(result, line)
        lines.append({**asdict(line), "of_pgbench_same_connections": same, "of_pgbench_best": best})
    return orjson.dumps(
        {**asdict(result), "measurements": lines, "agrees": result.agrees}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def _circumstances(result: IntakeResult) -> str:
    machine, settings = result.machine, result.postgres_settings
    durable = ", ".join(f"{name} {settings[name]}" for name in ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"))
    return "\n".join(
        (
            f"Intake, measured {result.measured_at:%Y-%m-%d %H:%M} UTC in one run of {result.took_seconds:.0f} s",
            "",
            f"machine     {machine.cpu}, {machine.cores} cores, {machine.memory_mib / 1024:.1f} GiB; {machine.kernel}; {machine.python}",
            f"disk        {machine.filesystem or 'unknown'}; 4 KiB written and synced {machine.syncs_per_second:,.0f} times a second",
            f"PostgreSQL  {settings['server_version']}, embedded; {durable} (by SHOW);"
            f" shared_buffers {settings['shared_buffers']}, max_connections {settings['max_connections']}",
            f"processes   {len(result.memory)} API, no worker; each line {result.seconds:g} s, warmed up {result.warm_up_seconds:g} s",
        )
    )


def _table(result: IntakeResult) -> str:
    return table_columns([HEADINGS, *(_row(result, line) for line in result.measurements)])


def _row(result: IntakeResult, line: Measurement) -> tuple[str, ...]:
    same, best = _ratios(result, line)
    what = {
        Load.API_SINGLE: "API, 1 comment a request",
        Load.PGBENCH: "pgbench, the same rows",
        Load.API_BATCH: f"API, {line.comments_per_request} comments a request",
        Load.API_HALF_PEAK: "API, half of the best rate",
    }[line.load]
    return (
        what,
        str(line.connections),
        f"{line.requests_per_second:,.0f}",
        f"{line.leads_per_second:,.0f}",
        _number(line.p50_ms),
        _number(line.p99_ms),
        _number(same, "{:.0%}"),
        _number(best, "{:.0%}"),
        _number(line.cores_busy.api),
        _number(line.cores_busy.postgres),
        _number(line.cores_busy.driver),
        _number(line.cores_busy.others),
        ", ".join(f"{count:,} {error}" for error, count in line.errors.items()) or "0",
    )


def _ratios(result: IntakeResult, line: Measurement) -> tuple[float | None, float | None]:
    """Leads a second beside pgbench on as many connections, and beside its best; a rate that we chose ourselves has none."""
    if line.load in (Load.PGBENCH, Load.API_HALF_PEAK):
        return None, None
    same, best = result.pgbench_at(line.connections), result.pgbench_best
    return line.leads_per_second / same if same else None, line.leads_per_second / best if best else None


def _counts(result: IntakeResult) -> str:
    rows = [("leads by", "acknowledged", "stored", "")]
    rows += [
        (count.sender, f"{count.acknowledged:,}", f"{count.stored:,}", "equal" if count.agrees else "DIFFERENT") for count in result.counts
    ]
    return table_columns(rows)


def _rows(result: IntakeResult) -> str:
    rows = [("a single comment leaves in", "rows: API", "pgbench", "bytes: API", "pgbench")]
    rows += [
        (line.table, f"{line.api_rows:.2f}", f"{line.pgbench_rows:.2f}", f"{line.api_bytes:,.0f}", f"{line.pgbench_bytes:,.0f}")
        for line in result.rows_per_lead
    ]
    return table_columns(rows)


def _memory(result: IntakeResult) -> str:
    rows: list[tuple[str, ...]] = [("memory, MiB", "before", "after", "peak")]
    for number, (before, after) in enumerate(((memory.before, memory.after) for memory in result.memory), 1):
        sizes = (before.resident if before else None, after.resident if after else None, after.peak if after else None)
        rows.append((f"API {number}", *(_number(None if size is None else size / 1024, "{:.0f}") for size in sizes)))
    return table_columns(rows)


def _number(value: float | None, form: str = "{:.2f}") -> str:
    return NOTHING if value is None else form.format(value)
