"""`lead-signals replay`: stored deliveries through the code and the rules of today, and what would be read differently."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar
from uuid import UUID

import click

from lead_signals import clock
from lead_signals.intake.moment_option import Moment
from lead_signals.intake.replay_progress import ReplayProgress
from lead_signals.mendable_errors import languages_or_sentence, one_clear_sentence, settings_or_sentence, usable_rules

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lead_signals.intake.replay import ReplayedPart, ReplayPlan, ReplaySize
    from lead_signals.intake.replay_summary import ReplaySummary
    from lead_signals.intent.pack.rule_pack import RulePack

Done = TypeVar("Done")

NOT_THE_DOORS_RULES = (
    "Warning: new comments are still judged by the packaged rules and by those that a tenant has in force, and a later replay without"
    " --rules turns what is written by these back."
)
INTERRUPTED = 130  # as a shell calls a command that a Ctrl-C ended


@click.command()
@click.option("--since", type=Moment(), required=True, help="From when: 2026-11-01, 2026-11-01T08:00+07:00, 7d, 24h. Without a zone: UTC.")
@click.option("--until", type=Moment(), help="To before when; now, if left out.")
@click.option("--tenant", "tenant_id", type=click.UUID, help="One tenant's deliveries; all tenants', if left out.")
@click.option(
    "--rules",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="A folder of rules (a language, or several languages in one folder) in place of those in force; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what differs.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--json", "as_json", is_flag=True, help="Every difference as a line of JSON, and the summary as the last line.")
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="How many differences to show.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Data directory of the embedded PostgreSQL.")
def replay(
    *,
    since: datetime,
    until: datetime | None,
    tenant_id: UUID | None,
    rules: tuple[Path, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
    limit: int,
    data_dir: Path | None,
) -> None:
    """Read stored deliveries again, by the code and the rules of today.

    \b
    What would change?      lead-signals replay --since 7d --dry-run
    Under other rules?      lead-signals replay --since 7d --rules my_rules --dry-run
    Put it into the leads:  lead-signals replay --since 7d

    Without --rules each tenant's deliveries are judged as the door judges them: by the packaged rules, and by its own where it has
    some in force (lead-signals rules list).

    Writing gives new leads (new_auto, new_draft, new_escalate) their new verdict and lane, and makes the leads that older code
    missed. Leads that people decided about stay. Nothing is sent to anybody and no follow-up is promised. It may be interrupted and
    repeated: what is written already differs no more.
    """
    from lead_signals.database.embedded_database import database_of
    from lead_signals.intake.replay import ReplayPlan, measure_replay
    from lead_signals.log_context import configure_logging

    plan = ReplayPlan(since, until or clock.now(), tenant_id, _rule_pack(rules), write=not dry_run)
    if plan.since >= plan.until:
        raise click.BadParameter("lies after the end of the time to read.", param_hint="--since")
    if plan.write and not yes and not sys.stdin.isatty():
        raise click.UsageError("This writes to leads and nobody is here to be asked: add --yes, or --dry-run.")
    settings = settings_or_sentence()
    configure_logging("WARNING")  # to stderr: standard output holds what was found, and nothing else
    with one_clear_sentence(), database_of(settings, data_dir, must_exist=True) as addresses:
        work = partial(_on_engine, addresses.app, production=settings.app_env == "production")
        size: ReplaySize = asyncio.run(work(partial(measure_replay, plan=plan)))
        if tenant_id is not None and not size.tenants:
            raise click.ClickException(f"There is no tenant {tenant_id}.")
        if _writes_by_other_rules(plan):
            click.echo(NOT_THE_DOORS_RULES, err=True)
        if plan.write and not yes:
            _ask(size)
        with _Shown(size, as_json=as_json, limit=limit) as shown:
            try:
                asyncio.run(work(partial(_show_all, plan=plan, shown=shown)))
            except KeyboardInterrupt:
                shown.stop(plan)
                sys.exit(INTERRUPTED)
            except Exception:
                shown.stop(plan)
                raise
            shown.end(plan)


def _rule_pack(folders: tuple[Path, ...]) -> "RulePack | None":
    from lead_signals.intent.pack.rule_pack import load_rule_pack

    if not folders:
        return None
    with usable_rules():
        return load_rule_pack([language for folder in folders for language in languages_or_sentence(folder)])


def _writes_by_other_rules(plan: "ReplayPlan") -> bool:
    return plan.write and plan.rule_pack is not None


def _ask(size: "ReplaySize") -> None:
    click.echo(f"Receipts to read again: {size.receipts:,}, tenants: {len(size.tenants):,}. What differs will be written.", err=True)
    click.echo("Nothing is sent to anybody and no follow-up is promised. --dry-run shows the differences first.", err=True)
    click.confirm("Write?", abort=True, err=True)


async def _on_engine(address: str, do: Callable[["AsyncEngine"], Awaitable[Done]], *, production: bool) -> Done:
    from lead_signals.database.engine import app_engine

    engine = app_engine(address, application_name="lead-signals replay", pool_size=1, production=production)
    try:
        return await do(engine)
    finally:
        await engine.dispose()


async def _show_all(engine: "AsyncEngine", *, plan: "ReplayPlan", shown: "_Shown") -> None:
    from lead_signals.intake.replay import replay as parts_of

    async with aclosing(parts_of(engine, plan, shown.size.tenants)) as parts:
        async for part in parts:
            shown.add(part)


class _Shown:
    """What the operator sees: progress on stderr (a bar on a terminal, lines when piped), what was found on stdout."""

    def __init__(self, size: "ReplaySize", *, as_json: bool, limit: int) -> None:
        from lead_signals.intake.replay_summary import ReplaySummary

        self.size, self._as_json, self._limit = size, as_json, limit
        self._summary = ReplaySummary(without_body=size.without_body)
        self._rows: list[str] = []
        self._last: ReplayedPart | None = None
        self._began = time.monotonic()
        self._progress = ReplayProgress(size.receipts)

    def __enter__(self) -> Self:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.finish()

    def add(self, part: "ReplayedPart") -> None:
        """One more part is done."""
        from lead_signals.intake.replay_report import line_of, rows_of

        self._last = part
        self._summary.add(part)
        for row in rows_of(part) if self._as_json or len(self._rows) < self._limit else ():
            if self._as_json:
                click.echo(json.dumps(row, ensure_ascii=False))
            elif len(self._rows) < self._limit:
                self._rows.append(line_of(row))
        self._progress.add(part.receipts)

    def end(self, plan: "ReplayPlan") -> None:
        """All of it is done."""
        self._tell_all(plan)
        if _writes_by_other_rules(plan):
            click.echo(NOT_THE_DOORS_RULES, err=True)

    def _tell_all(self, plan: "ReplayPlan") -> None:
        from lead_signals.intake.replay_report import as_value, notes_of, sentence_of, tables_of

        self._progress.finish()
        sentence = sentence_of(self._summary, write=plan.write, seconds=time.monotonic() - self._began)
        if self._as_json:
            click.echo(json.dumps(as_value(self._summary)))
            click.echo(sentence, err=True)
            return
        for line in (*tables_of(self._summary.moves), *self._rows_and_rest(), *notes_of(self._summary), sentence):
            click.echo(line)

    def _rows_and_rest(self) -> list[str]:
        left_out = self._summary.differences - len(self._rows)
        rest = [f"… and {left_out:,} more; --limit shows more of them, --json all"] if left_out else []
        return [*self._rows, *rest, ""] if self._summary.differences else []

    def stop(self, plan: "ReplayPlan") -> None:
        """Ctrl-C: where it stands, and how to go on."""
        self._progress.finish()
        if self._last is None:
            click.echo("Stopped before anything was read.", err=True)
            return
        done = f"receipt {self._summary.receipts:,} of {self.size.receipts:,}"
        place = f"tenant {self._last.tenant_id}, received {self._last.moment.isoformat()}"
        written = f". Written: {_written(self._summary)}" if plan.write else ""
        click.echo(f"Stopped after {done}: {place}{written}.", err=True)
        click.echo("The same command finds the rest. With --tenant, that moment as --since goes on from here.", err=True)


def _written(summary: "ReplaySummary") -> str:
    done = summary.written
    return f"new verdicts {done.read_again:,}, new leads {done.created:,}, changes {done.changes:,}"
