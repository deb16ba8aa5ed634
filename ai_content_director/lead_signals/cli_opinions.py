"""`lead-signals opinions`: what came of asking a language model."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from lead_signals.intake.moment_option import Moment
from lead_signals.mendable_errors import one_clear_sentence, settings_or_sentence

if TYPE_CHECKING:
    from lead_signals.second_opinion.opinion_report import OpinionReport


@click.group()
def opinions() -> None:
    """Opinions of a language model about leads that no rule understood."""


@opinions.command("report")
@click.option("--tenant", "tenant_id", type=click.UUID, help="One tenant's leads; all tenants', if left out.")
@click.option("--since", type=Moment(), default="7d", show_default=True, help="From when: 2026-11-01, 2026-11-01T08:00+07:00, 7d, 24h.")
@click.option("--json", "as_json", is_flag=True, help="One object of JSON.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The embedded PostgreSQL of a running `serve`.")
def report(tenant_id: UUID | None, since: datetime, *, as_json: bool, data_dir: Path | None) -> None:
    """How many were asked and answered, what the model said beside what stands now, calls and tokens of each day.

    With LEAD_CLASSIFY_LLM_SHADOW=true it says what would have changed: nothing of the leads has.
    """
    from lead_signals.database.embedded_database import database_of
    from lead_signals.second_opinion.opinion_report import as_value

    settings = settings_or_sentence()
    with one_clear_sentence(), database_of(settings, data_dir, must_exist=True) as addresses:
        found = asyncio.run(_look(addresses.app, since, tenant_id, production=settings.app_env == "production"))
    if found is None:
        raise click.ClickException(f"There is no tenant {tenant_id}.")
    for line in [json.dumps(as_value(found))] if as_json else _lines(found):
        click.echo(line)


async def _look(address: str, since: datetime, tenant_id: UUID | None, *, production: bool) -> "OpinionReport | None":
    from lead_signals.database.engine import app_engine
    from lead_signals.second_opinion.opinion_report import report_opinions

    engine = app_engine(address, application_name="lead-signals opinions", pool_size=1, production=production)
    try:
        return await report_opinions(engine, since, tenant_id)
    finally:
        await engine.dispose()


def _lines(found: "OpinionReport") -> Iterator[str]:
    yield f"Questions: {found.asked:,}, answered {found.answered:,} (from memory {found.from_cache:,}), waiting {found.waiting:,}"
    yield f"Leads changed by an answer: {found.applied:,}; leads that say now what the model said: {found.agreed:,}"
    for because, count in sorted(found.given_up.items()):
        yield f"Given up, {because.replace('_', ' ')}: {count:,}"
    if found.said:
        yield ""
        yield "The model said, the lead says now:"
        width = max(len(said) for said, _ in found.said)
        yield from (f"  {said:<{width}}  {stands:<16}  {count:>7,}" for (said, stands), count in sorted(found.said.items()))
    if found.days:
        yield ""
        yield "Day            calls   tokens in  tokens out"
        for day, cost in sorted(found.days.items()):
            yield f"{day.isoformat()}  {cost.calls:>8,}  {cost.input_tokens:>10,}  {cost.output_tokens:>10,}"
