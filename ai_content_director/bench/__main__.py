"""The benches' entrance: `python -m bench NAME`. Progress goes to standard error, the table to standard output."""

import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from bench.bench_error import BenchError
from bench.measure_follow_ups import FollowUpsOptions, measure_follow_ups
from bench.measure_intake import IntakeOptions, measure_intake
from bench.measure_intent import IntentOptions, measure_intent
from bench.show_follow_ups import follow_ups_json, show_follow_ups
from bench.show_intake import intake_json, show_intake
from bench.show_intent import intent_json, show_intent
from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError

QUICK = IntakeOptions(seconds=2.0, connections=(8, 32))
QUICK_FOLLOW_UPS = FollowUpsOptions(backlog=5_000, light_seconds=4.0, plain_seconds=2.0)
QUICK_INTENT = IntentOptions(rounds=3, most=150, loads=1)


class _Counts(click.ParamType[tuple[int, ...]]):
    """`1,8,32`: how many connections, one measurement each."""

    name = "numbers"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Raises click's refusal when it is no list of numbers from 1 to 500."""
        if isinstance(value, tuple):
            return value
        words = str(value).split(",")
        if not all(word.strip().isdecimal() and 1 <= int(word) <= 500 for word in words):
            self.fail(f"{value!r} is no list of numbers from 1 to 500, like 1,8,32", param, ctx)
        return tuple(dict.fromkeys(int(word) for word in words))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure what the product carries on this machine. A bench that needs a PostgreSQL starts its own; nothing is left behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as after Ctrl-C: in order


@bench.command()
@click.option("--seconds", type=click.FloatRange(0.1, 600), help="For each measurement, after its warm-up.  [default: 8]")
@click.option("--connections", type=_Counts(), help="Of the single comments and of pgbench.  [default: 1,8,32,128]")
@click.option("--processes", type=click.IntRange(1, 32), default=1, show_default=True, help="API processes.")
@click.option("--quick", is_flag=True, help="The same as --seconds 2 --connections 8,32.")
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False, writable=True), help="Write the numbers there too.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the data is kept meanwhile; the disk below it is the one that is measured. Default: the folder for temporary files.",
)
def intake(
    *,
    seconds: float | None,
    connections: tuple[int, ...] | None,
    processes: int,
    quick: bool,
    json_path: Path | None,
    directory: Path | None,
) -> None:
    """Comments a second through the webhook, beside pgbench writing the same rows.

    Ends with exit status 1 when the leads acknowledged are not the leads stored.
    """
    normal = QUICK if quick else IntakeOptions()
    length = seconds or normal.seconds
    options = IntakeOptions(
        seconds=length,
        warm_up_seconds=min(normal.warm_up_seconds, length),
        connections=connections or normal.connections,
        processes=processes,
        parent=directory,
    )
    try:
        result = measure_intake(options, partial(click.echo, err=True))
    except (BenchError, EmbeddedServerError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(show_intake(result), nl=False)
    if json_path is not None:
        json_path.write_bytes(intake_json(result))
    if not result.agrees:
        raise click.ClickException("The leads acknowledged are not the leads stored: see the counts above.")


@bench.command()
@click.option("--rounds", type=click.IntRange(1, 50), help="Each of other texts.  [default: 7]")
@click.option("--quick", is_flag=True, help="3 rounds of 150 messages: to see that it works; no number to quote.")
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False, writable=True), help="Write the numbers there too.")
def intent(*, rounds: int | None, quick: bool, json_path: Path | None) -> None:
    """Messages a second that one process understands, beside a naive keyword list on the same texts."""
    normal = QUICK_INTENT if quick else IntentOptions()
    try:
        result = measure_intent(replace(normal, rounds=rounds or normal.rounds), partial(click.echo, err=True))
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    click.echo(show_intent(result), nl=False)
    if json_path is not None:
        json_path.write_bytes(intent_json(result))


@bench.command("followups")
@click.option("--backlog", type=click.IntRange(100, 2_000_000), help="Follow-ups that wait when the worker comes back.  [default: 100000]")
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True, help="Worker processes.")
@click.option("--seconds", type=click.FloatRange(1, 600), help="Of the light day.  [default: 20]")
@click.option(
    "--fresh", "fresh_per_second", type=click.FloatRange(1, 200), default=20.0, show_default=True, help="Comments a second beside it."
)
@click.option("--answer-ms", type=click.FloatRange(0, 5_000), default=5.0, show_default=True, help="How long the receiver thinks.")
@click.option("--quick", is_flag=True, help="A backlog of 5,000, a light day of 4 s: to see that it works; no number to quote.")
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False, writable=True), help="Write the numbers there too.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the data is kept meanwhile; the disk below it is the one that is measured. Default: the folder for temporary files.",
)
def follow_ups(
    *,
    backlog: int | None,
    workers: int,
    seconds: float | None,
    fresh_per_second: float,
    answer_ms: float,
    quick: bool,
    json_path: Path | None,
    directory: Path | None,
) -> None:
    """Follow-ups a second to a receiver, and how soon it hears of a fresh comment, on a light day and behind a backlog.

    Ends with exit status 1 when what arrived is not what was promised, each exactly once.
    """
    normal = QUICK_FOLLOW_UPS if quick else FollowUpsOptions()
    options = replace(
        normal,
        backlog=backlog or normal.backlog,
        workers=workers,
        light_seconds=seconds or normal.light_seconds,
        fresh_per_second=fresh_per_second,
        answer_ms=answer_ms,
        parent=directory,
    )
    try:
        result = measure_follow_ups(options, partial(click.echo, err=True))
    except (BenchError, EmbeddedServerError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(show_follow_ups(result), nl=False)
    if json_path is not None:
        json_path.write_bytes(follow_ups_json(result))
    if not result.kept.agrees:
        raise click.ClickException("What arrived is not what was promised: see the counts above.")


if __name__ == "__main__":
    sys.exit(bench(prog_name="bin/bench"))
