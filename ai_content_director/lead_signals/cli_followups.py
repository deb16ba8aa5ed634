"""`lead-signals followups …`: what is owed to receivers, what became of it, sending again and calling off.

Imports stand in the commands, as in `cli`. What receivers and tenants wrote goes through `printable` before it meets a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import click

from lead_signals.cli_database import at_the_database
from lead_signals.cli_endpoints import endpoints
from lead_signals.intake.moment_option import Moment

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lead_signals.followups.oversight.follow_up_detail import FollowUpDetail
    from lead_signals.followups.oversight.follow_up_list import FollowUpFilter, ListedFollowUp
    from lead_signals.followups.oversight.redrive_many import RedrivenSome
    from lead_signals.followups.oversight.redrive_wish import RedriveWish
    from lead_signals.settings import Settings

Done = TypeVar("Done")

STATES = ("pending", "delivering", "retrying", "dead", "delivered", "cancelled")
MOST_LISTED = 10_000
MANY_AT_ONCE = 100_000  # the most that one call takes on; what is left is told, and the command repeated
TOLD_EVERY = 10_000  # rows between two lines, where nobody sees a bar


class FollowUpName(click.ParamType[UUID]):
    """A follow-up's UUID, or its webhook-id as receivers see it."""

    name = "id"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        """The id. Fails with a sentence."""
        from lead_signals.followups.oversight.named_follow_up import named_follow_up
        from lead_signals.request_body import RefusedRequest

        if isinstance(value, UUID):
            return value
        try:
            return named_follow_up(str(value))
        except RefusedRequest as refused:
            self.fail(refused.sentence, param, ctx)


class EndpointName(click.ParamType[UUID]):
    """An endpoint's UUID, or the word WEBHOOK_URL for the operator's own."""

    name = "endpoint"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        """The id. Fails with a sentence."""
        if isinstance(value, UUID):
            return value
        try:
            return UUID(int=0) if value == "WEBHOOK_URL" else UUID(str(value))
        except ValueError:
            self.fail("expected an endpoint's id, as lead-signals followups endpoints list shows it, or WEBHOOK_URL.", param, ctx)


TENANT = click.option("--tenant", "tenant_id", type=click.UUID, help="Of this tenant only.")
LEAD = click.option("--lead", "lead_id", type=click.UUID, help="About this lead only.")
OLDER_THAN = click.option(
    "--older-than", "minutes", type=click.IntRange(0, 10_000_000), metavar="MINUTES", help="Promised at least that long ago."
)
ENDPOINT = click.option("--endpoint", "endpoint_id", type=EndpointName(), help="Owed to this endpoint only: its id, or WEBHOOK_URL.")
DATA_DIRECTORY = click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Data directory of the embedded PostgreSQL."
)


@click.group()
def followups() -> None:
    """What is owed to receivers: look, send again, call off; and their endpoints."""


followups.add_command(endpoints)


@followups.command("list")
@TENANT
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="In this state only; may be repeated.")
@ENDPOINT
@LEAD
@OLDER_THAN
@click.option("--limit", type=click.IntRange(1, MOST_LISTED), default=50, show_default=True, help="How many to show.")
@click.option("--before", type=FollowUpName(), help="Older than this one: the last of the page before.")
@DATA_DIRECTORY
def list_(
    *,
    tenant_id: UUID | None,
    states: tuple[str, ...],
    endpoint_id: UUID | None,
    lead_id: UUID | None,
    minutes: int | None,
    limit: int,
    before: UUID | None,
    data_dir: Path | None,
) -> None:
    """Show follow-ups, newest first, and how many there are in each state.

    \b
    What needs a hand?  lead-signals followups list --state dead
    What is late?       lead-signals followups list --state pending --state retrying --older-than 10
    """
    from lead_signals.followups.follow_up import FollowUpState
    from lead_signals.followups.oversight.follow_up_lines import list_lines
    from lead_signals.followups.oversight.follow_up_list import FollowUpFilter

    wanted = FollowUpFilter(frozenset(FollowUpState(state) for state in states), endpoint_id, lead_id, minutes)

    async def do(engine: AsyncEngine, _: Settings) -> tuple[Sequence[ListedFollowUp], dict[str, int]]:
        return await _look(engine, tenant_id, wanted, limit=limit, before=before)

    found, counts = at_the_database("followups", data_dir, do)
    click.echo("Follow-ups: " + (", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "none"))
    for line in list_lines(found):
        click.echo(line)
    if len(found) == limit and limit < sum(counts.values()):
        click.echo(f"Older ones: --before {found[-1].id}")


async def _look(
    engine: AsyncEngine, tenant_id: UUID | None, wanted: FollowUpFilter, *, limit: int, before: UUID | None
) -> tuple[Sequence[ListedFollowUp], dict[str, int]]:
    from lead_signals.followups.oversight.follow_up_list import count_by_state, list_follow_ups
    from lead_signals.request_body import RefusedRequest
    from lead_signals.tenancy.tenant import find_tenant
    from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

    if tenant_id is None:
        async with across_tenants_session(engine) as everywhere:
            found = await list_follow_ups(everywhere, None, wanted, limit=limit, before=before)
            return found, await count_by_state(everywhere, None, wanted)
    async with tenant_session(engine, tenant_id) as session:
        if await find_tenant(session, tenant_id) is None:
            raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}.")
        found = await list_follow_ups(session, tenant_id, wanted, limit=limit, before=before)
        return found, await count_by_state(session, tenant_id, wanted)


@followups.command()
@click.argument("follow_up_id", metavar="ID", type=FollowUpName())
@TENANT
@DATA_DIRECTORY
def show(follow_up_id: UUID, tenant_id: UUID | None, data_dir: Path | None) -> None:
    """Show one follow-up with every attempt and every receipt. ID is its UUID, or the webhook-id out of a receiver's log."""
    from lead_signals.followups.oversight.follow_up_detail import follow_up_detail
    from lead_signals.followups.oversight.follow_up_lines import detail_lines
    from lead_signals.tenancy.tenant_session import tenant_session

    async def do(engine: AsyncEngine, _: Settings) -> FollowUpDetail | None:
        whose = tenant_id or await _whose(engine, follow_up_id)
        async with tenant_session(engine, whose) as session:
            return await follow_up_detail(session, whose, follow_up_id)

    detail = at_the_database("followups", data_dir, do)
    if detail is None:
        raise click.ClickException(f"Tenant {tenant_id} has no follow-up {follow_up_id}.")
    for line in detail_lines(detail):
        click.echo(line)


@followups.command()
@click.argument("follow_up_ids", metavar="[ID]...", nargs=-1, type=FollowUpName())
@TENANT
@click.option("--all", "everybodys", is_flag=True, help="Of all tenants.")
@ENDPOINT
@click.option("--state", type=click.Choice(["dead", "retrying"]), help="Which ones: the dead, or those that wait.  [default: dead]")
@LEAD
@OLDER_THAN
@click.option("--since", type=Moment(), help="That died from then on: 2026-11-01, 2026-11-01T08:00+07:00, 7d, 24h.")
@click.option("--until", type=Moment(), help="That died before then.")
@click.option("--dry-run", is_flag=True, help="Only tell how many.")
@click.option("--yes", is_flag=True, help="Send many again without asking.")
@DATA_DIRECTORY
def redrive(
    *,
    follow_up_ids: tuple[UUID, ...],
    tenant_id: UUID | None,
    everybodys: bool,
    endpoint_id: UUID | None,
    state: str | None,
    lead_id: UUID | None,
    minutes: int | None,
    since: datetime | None,
    until: datetime | None,
    dry_run: bool,
    yes: bool,
    data_dir: Path | None,
) -> None:
    """Send follow-ups again: those named, or all that fit.

    A dead one starts its schedule of tries anew; one that waits for its next try is due now. The webhook-id stays the same, so a
    receiver that had it after all drops the repeat.

    \b
    One:              lead-signals followups redrive msg_0123…
    After an outage:  lead-signals followups redrive --all --since 24h
    Of one endpoint:  lead-signals followups redrive --tenant <TENANT_UUID> --endpoint <ENDPOINT_UUID>
    """
    from lead_signals.followups.oversight.redrive_wish import RedriveWish

    if follow_up_ids:
        if everybodys or dry_run or state or endpoint_id or lead_id or minutes is not None or since or until:
            raise click.UsageError("Name follow-ups by their ids, or those that fit by options; not both.")
        _redrive_named(follow_up_ids, tenant_id, data_dir)
        return
    if (tenant_id is None) == (not everybodys):
        raise click.UsageError("Say whose: --tenant, or --all for every tenant; or name follow-ups by their ids.")
    if state == "retrying" and (since or until):
        raise click.UsageError("--since and --until are about when one died: leave them out with --state retrying.")
    if not dry_run and not yes and not somebody_is_here():
        raise click.UsageError("This sends many again and nobody is here to be asked: add --yes, or --dry-run.")
    wish = RedriveWish(
        tenant_id=tenant_id,
        all=everybodys,
        endpoint_id=endpoint_id,
        lead_id=lead_id,
        older_than_minutes=minutes,
        state="retrying" if state == "retrying" else "dead",
        died_after=since,
        died_before=until,
        limit=MANY_AT_ONCE,
    )
    _redrive_fitting(wish, dry_run=dry_run, yes=yes, data_dir=data_dir)


def somebody_is_here() -> bool:
    """Whether there is a person to be asked."""
    return sys.stdin.isatty()


def _redrive_named(follow_up_ids: Sequence[UUID], tenant_id: UUID | None, data_dir: Path | None) -> None:
    from lead_signals.followups.oversight.redrive import redrive as redrive_it
    from lead_signals.tenancy.tenant_session import tenant_session

    async def one(engine: AsyncEngine, settings: Settings, follow_up_id: UUID) -> str:
        whose = tenant_id or await _whose(engine, follow_up_id)
        async with tenant_session(engine, whose) as session:
            return (await redrive_it(session, settings, whose, follow_up_id)).sentence

    _one_by_one(follow_up_ids, one, data_dir)


def _redrive_fitting(wish: RedriveWish, *, dry_run: bool, yes: bool, data_dir: Path | None) -> None:
    from lead_signals.followups.oversight.follow_up_lines import redrivable_lines
    from lead_signals.followups.oversight.redrive_many import find_redrivable

    async def look(engine: AsyncEngine, settings: Settings) -> list[RedrivenSome]:
        return await find_redrivable(engine, settings, wish)

    fitting = at_the_database("followups", data_dir, look)
    there = sum(some.count for some in fitting)
    words = f"{there:,} {wish.state} {'follow-up' if there == 1 else 'follow-ups'}"
    for line in redrivable_lines(fitting):
        click.echo(line)
    for sentence in dict.fromkeys(some.held_back for some in fitting if some.held_back):
        click.echo(f"Some wait all the same. {sentence}")
    if dry_run or not there:
        click.echo(f"{words} would be sent again." if there else f"No {wish.state} follow-up fits: nothing to send again.")
        return
    if not yes:
        click.confirm(f"Send {words} again?", abort=True, err=True)

    done = at_the_database("followups", data_dir, lambda engine, _: _redrive_shown(engine, wish, fitting))
    click.echo(_due_now(done, waits=sum(some.count for some in fitting if some.held_back) == there))
    if done == wish.limit and there > done:
        click.echo(f"{there - done:,} {'is' if there - done == 1 else 'are'} left: repeat the command.")


def _due_now(done: int, *, waits: bool) -> str:
    if waits:
        return f"{done:,} {'is' if done == 1 else 'are'} due, and sent when the endpoint listens again."
    return "1 is due now: a running worker sends it." if done == 1 else f"{done:,} are due now: a running worker sends them."


async def _redrive_shown(engine: AsyncEngine, wish: RedriveWish, fitting: Sequence[RedrivenSome]) -> int:
    """The work itself, with a bar on a terminal and a line now and then where there is none."""
    from lead_signals.followups.oversight.redrive_many import redrive_portions

    done, at_a_terminal = 0, sys.stderr.isatty()
    of = min(wish.limit, sum(some.count for some in fitting))
    with click.progressbar(length=of, label="Follow-ups", file=sys.stderr, hidden=not at_a_terminal) as bar:
        async for some in redrive_portions(engine, wish, fitting):
            bar.update(some.count)
            if not at_a_terminal and (done + some.count) // TOLD_EVERY > done // TOLD_EVERY:
                click.echo(f"{done + some.count:,} of {of:,}", err=True)
            done += some.count
    return done


@followups.command()
@click.argument("follow_up_ids", metavar="ID...", nargs=-1, required=True, type=FollowUpName())
@TENANT
@DATA_DIRECTORY
def cancel(follow_up_ids: tuple[UUID, ...], tenant_id: UUID | None, data_dir: Path | None) -> None:
    """Call follow-ups off: nothing more is sent, and nobody can send them again."""
    from lead_signals.followups.oversight.call_off import call_off
    from lead_signals.tenancy.tenant_session import tenant_session

    async def one(engine: AsyncEngine, _: Settings, follow_up_id: UUID) -> str:
        whose = tenant_id or await _whose(engine, follow_up_id)
        async with tenant_session(engine, whose) as session:
            return (await call_off(session, whose, follow_up_id)).sentence

    _one_by_one(follow_up_ids, one, data_dir)


def _one_by_one(follow_up_ids: Sequence[UUID], one: Callable[[AsyncEngine, Settings, UUID], Awaitable[str]], data_dir: Path | None) -> None:
    """Each in a transaction of its own, each with its sentence; exit status 1 when one of them was refused."""
    from lead_signals.request_body import RefusedRequest

    async def each(engine: AsyncEngine, settings: Settings) -> bool:
        well = True
        for follow_up_id in follow_up_ids:
            try:
                click.echo(f"{follow_up_id}  {await one(engine, settings, follow_up_id)}")
            except RefusedRequest as refused:
                well = False
                click.echo(f"{follow_up_id}  {refused.sentence}", err=True)
        return well

    if not at_the_database("followups", data_dir, each):
        sys.exit(1)


async def _whose(engine: AsyncEngine, follow_up_id: UUID) -> UUID:
    from lead_signals.followups.oversight.whose_follow_up import whose_follow_up
    from lead_signals.tenancy.tenant_session import across_tenants_session

    async with across_tenants_session(engine) as everywhere:
        return await whose_follow_up(everywhere, follow_up_id)
