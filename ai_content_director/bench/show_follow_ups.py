"""The result of the follow-ups bench as a table for people (plain text, to be pasted into a document) and as JSON for programs."""

from dataclasses import asdict

import orjson

from bench.follow_ups_result import FollowUpsResult, Freshness, Rate, Sender
from bench.show_intake import NOTHING
from bench.table_columns import table_columns

_ROLES = ("worker", "PostgreSQL", "sink", "API", "driver", "others")
_NAMES = {
    Sender.LIGHT: "worker, light day",
    Sender.DRAIN: "worker, backlog",
    Sender.PLAIN_ONE: "plain loop",
    Sender.PLAIN_MANY: "plain loops",
    Sender.NAKED: "the POST alone",
}
NOTES = """\
worker       the product: claimed, signed, sent, each attempt written down, settled; one endpoint, WEBHOOK_URL, for all
plain loop   take one row FOR UPDATE SKIP LOCKED, POST with the same client, UPDATE, COMMIT; unsigned, no attempts, in the driver
POST alone   the client without any database, in the driver: its limit on this machine
at once      deliveries under way; of the worker what it allows one endpoint at most
core-second  deliveries for each second of a core that worker (or driver) and PostgreSQL took, the API's share of PostgreSQL included
fresh        from the moment a comment's POST to the API was due to the arrival of its follow-up at the receiver
cores        how many were kept busy; driver is the bench itself, others are no part of it: when those took much, measure again"""


def show_follow_ups(result: FollowUpsResult) -> str:
    """The whole report."""
    parts = (_circumstances(result), _rates(result), _freshness(result), _steadiness(result), _kept(result), NOTES)
    return "\n\n".join(parts) + "\n"


def follow_ups_json(result: FollowUpsResult) -> bytes:
    """Everything that was measured, with the ratios."""
    rates = [
        {
            **asdict(rate),
            "per_second": rate.per_second,
            "of_plain_loops": _of_plain(result, rate),
            "per_core_second": rate.per_core_second,
        }
        for rate in result.rates
    ]
    slices = {**asdict(result.slices), "last_of_first": result.slices.last_of_first}
    content = {**asdict(result), "rates": rates, "slices": slices, "agrees": result.kept.agrees}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _circumstances(result: FollowUpsResult) -> str:
    machine, settings = result.machine, result.postgres_settings
    durable = ", ".join(f"{name} {settings[name]}" for name in ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"))
    return "\n".join(
        (
            f"Follow-ups, measured {result.measured_at:%Y-%m-%d %H:%M} UTC in one run of {result.took_seconds:.0f} s",
            "",
            f"machine     {machine.cpu}, {machine.cores} cores, {machine.memory_mib / 1024:.1f} GiB; {machine.kernel}; {machine.python}",
            f"disk        {machine.filesystem or 'unknown'}; 4 KiB written and synced {machine.syncs_per_second:,.0f} times a second",
            f"PostgreSQL  {settings['server_version']}, embedded; {durable} (by SHOW); shared_buffers {settings['shared_buffers']}",
            f"processes   1 API, {result.workers} worker, 1 receiver that answers after {result.answer_ms:g} ms",
        )
    )


def _rates(result: FollowUpsResult) -> str:
    heading = ("", "at once", "deliveries", "a second", "of plain loops", "a core-second", f"cores: {_ROLES[0]}", *_ROLES[1:])
    return table_columns([heading, *(_rate(result, rate) for rate in result.rates)])


def _rate(result: FollowUpsResult, rate: Rate) -> tuple[str, ...]:
    return (
        _NAMES[rate.sender],
        str(rate.at_once),
        f"{rate.deliveries:,}",
        f"{rate.per_second:,.0f}",
        _number(_of_plain(result, rate), "{:.0%}"),
        _number(rate.per_core_second, "{:,.0f}"),
        *(_number(rate.cores_busy.get(role)) for role in _ROLES),
    )


def _of_plain(result: FollowUpsResult, rate: Rate) -> float | None:
    """Beside the plain loops; a rate that we chose ourselves has no ratio."""
    return None if rate.sender is Sender.LIGHT else rate.per_second / result.rate_of(Sender.PLAIN_MANY).per_second


def _freshness(result: FollowUpsResult) -> str:
    rows = [("fresh comments", "sent", "refused", "p50 ms", "p95 ms", "max ms")]
    return table_columns([*rows, *(_fresh(fresh) for fresh in result.freshness)])


def _fresh(fresh: Freshness) -> tuple[str, ...]:
    name = {Sender.LIGHT: "light day", Sender.DRAIN: "beside the backlog"}[fresh.sender]
    return (name, f"{fresh.comments:,}", str(fresh.refused), *(_number(ms, "{:,.0f}") for ms in (fresh.p50_ms, fresh.p95_ms, fresh.max_ms)))


def _steadiness(result: FollowUpsResult) -> str:
    slices, peak = result.slices, _number(result.worker_peak_mib, "{:.0f}")
    cores = (slices.first_per_core_second, slices.last_per_core_second)
    shares = (_number(_share(*cores), "{:.0%}"), _number(slices.last_of_first, "{:.0%}"))
    return table_columns(
        [
            (f"backlog of {result.backlog:,}", "first tenth", "last tenth", "last of first", "worker, peak MiB"),
            ("a second", f"{slices.first_per_second:,.0f}", f"{slices.last_per_second:,.0f}", shares[1], peak),
            ("a core-second", *(_number(core, "{:,.0f}") for core in cores), shares[0], ""),
        ]
    )


def _share(first: float | None, last: float | None) -> float | None:
    """Last of first; None when one of them is not known."""
    return None if first is None or last is None or first == 0 else last / first


def _kept(result: FollowUpsResult) -> str:
    kept = result.kept
    words = ("promised", "arrived", "lost", "repeated", "unknown", "not delivered", "")
    counts = (kept.promised, kept.arrived, kept.lost, kept.repeated, kept.unknown, kept.not_delivered)
    return table_columns(
        [("promises", *words), ("by webhook-id", *(f"{count:,}" for count in counts), "equal" if kept.agrees else "DIFFERENT")]
    )


def _number(value: float | None, form: str = "{:.2f}") -> str:
    return NOTHING if value is None else form.format(value)
