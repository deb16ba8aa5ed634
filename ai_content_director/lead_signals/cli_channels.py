"""`lead-signals channels …`: connect Pages and accounts from the server's own command line.

Imports stand in the commands, as in `cli`.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import click

from lead_signals import clock
from lead_signals.cli_database import at_the_database
from lead_signals.cli_secret import read_secret

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lead_signals.connections.channel_list import ConnectedChannel
    from lead_signals.graph_api.graph_client import GraphClient
    from lead_signals.intake.unrouted_delivery import UnknownChannel
    from lead_signals.settings import Settings

Done = TypeVar("Done")

MOST_LISTED = 10_000
COLUMNS = ("tenant", "platform", "id", "name", "token", "heard (UTC)", "channel")
TALLIED_WITHIN = timedelta(minutes=10)  # the worker tallies every 5 minutes what is 2 minutes old

TENANT = click.option("--tenant", "tenant_id", type=click.UUID, required=True, help="The tenant, as POST /onboarding gave it.")
DATA_DIRECTORY = click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Data directory of the embedded PostgreSQL."
)


@click.group()
def channels() -> None:
    """Connect, list, check and disconnect Pages and accounts."""


@channels.command("list")
@click.option("--tenant", "tenant_id", type=click.UUID, help="Of this tenant only.")
@DATA_DIRECTORY
def list_(tenant_id: UUID | None, data_dir: Path | None) -> None:
    """Show the connected channels and how they are, and those that write to us and belong to nobody."""
    from lead_signals.connections.channel_list import list_channels
    from lead_signals.intake.unrouted_delivery import unknown_channels
    from lead_signals.printable import printable
    from lead_signals.request_body import RefusedRequest
    from lead_signals.tenancy.tenant import find_tenant
    from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

    async def do(engine: AsyncEngine, _: GraphClient, __: Settings) -> tuple[list[ConnectedChannel], Sequence[UnknownChannel]]:
        if tenant_id is not None:
            async with tenant_session(engine, tenant_id) as session:
                if await find_tenant(session, tenant_id) is None:
                    raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}.")
                return list((await list_channels(session, tenant_id, limit=MOST_LISTED))[0]), ()
        async with across_tenants_session(engine) as everywhere:
            connected, _total = await list_channels(everywhere, None, limit=MOST_LISTED)
            return list(connected), await unknown_channels(everywhere, limit=MOST_LISTED)

    connected, unknown = _at_the_database(data_dir, do)
    _show(connected)
    if unknown:
        click.echo("\nUnknown: they write to us and belong to no tenant. What they sent is kept; connect one, and it becomes leads.")
    for channel in unknown:
        last = channel.last_received_at.strftime("%Y-%m-%d %H:%M")
        many = f"{channel.deliveries} {'delivery' if channel.deliveries == 1 else 'deliveries'}"
        click.echo(f"  {channel.platform}  {printable(channel.external_id)}  {many}, the last at {last} UTC")


@channels.command()
@TENANT
@click.option(
    "--platform", default="facebook", show_default=True, help="Where the channel is: facebook, instagram, whatsapp, zalo or tiktok."
)
@click.option("--id", "external_id", required=True, help="The platform's own id of the Page or account; deliveries name it.")
@click.option("--name", help="What to call it; a Page with a token tells its own.")
@click.option(
    "--token-file", type=click.Path(allow_dash=True), help="File that holds the Page's token; - asks for it, or reads standard input."
)
@DATA_DIRECTORY
def connect(*, tenant_id: UUID, platform: str, external_id: str, name: str | None, token_file: str | None, data_dir: Path | None) -> None:
    """Connect a Page or account to a tenant: from now on its deliveries are this tenant's.

    \b
    lead-signals channels connect --tenant <TENANT_UUID> --id <PAGE_ID> --token-file -
    """
    from lead_signals.connections.channel_wish import ChannelWish
    from lead_signals.connections.connect import Connected
    from lead_signals.connections.connect import connect as connect_it
    from lead_signals.strict_wish import read_wish

    told = {"tenant_id": tenant_id, "platform": platform, "external_id": external_id, "name": name}
    if token_file is not None:
        told["access_token"] = read_secret(token_file, "Token of the Page")

    async def do(engine: AsyncEngine, graph: GraphClient, of_ours: Settings) -> Connected:
        return await connect_it(engine, graph, of_ours, read_wish(ChannelWish, told), now=clock.now())

    connected = _at_the_database(data_dir, do)
    _show([connected.channel])
    if connected.channel.check_sentence is not None:
        click.echo(connected.channel.check_sentence)


@channels.command()
@TENANT
@click.argument("channel", type=click.UUID)
@DATA_DIRECTORY
def disconnect(tenant_id: UUID, channel: UUID, data_dir: Path | None) -> None:
    """Disconnect CHANNEL (the last column of the list): its token is erased, its deliveries belong to nobody."""
    from lead_signals.connections.disconnect import Disconnected
    from lead_signals.connections.disconnect import disconnect as disconnect_it

    async def do(engine: AsyncEngine, graph: GraphClient, of_ours: Settings) -> Disconnected:
        return await disconnect_it(engine, graph, of_ours, tenant_id, channel)

    gone = _at_the_database(data_dir, do)
    click.echo(f"{gone.platform} {gone.external_id} is disconnected. {gone.sentence}")


@channels.command()
@TENANT
@click.argument("channel", type=click.UUID)
@DATA_DIRECTORY
def check(tenant_id: UUID, channel: UUID, data_dir: Path | None) -> None:
    """Ask the platform now whether the token and the subscription of CHANNEL hold.

    Exit status 0 when they hold, 1 when they do not, 2 when the platform gave no answer and nothing could be checked.
    """
    from lead_signals.connections.check_now import check_now

    async def do(engine: AsyncEngine, graph: GraphClient, of_ours: Settings) -> ConnectedChannel:
        return await check_now(engine, graph, of_ours, tenant_id, channel, now=clock.now)

    asked_at = clock.now()
    checked = _at_the_database(data_dir, do)
    _show([checked])
    # Where Graph is away, `token_state` still says what an earlier check found: only a result of now is an answer.
    if checked.checked_at is None or checked.checked_at < asked_at:
        click.echo(checked.check_sentence or "Nothing could be checked now; check it again in a few minutes.")
        sys.exit(2)
    click.echo(checked.check_sentence or "All is well.")
    sys.exit(0 if checked.token_state == "ok" else 1)  # noqa: S105 - a state, no secret


def _at_the_database(data_dir: Path | None, do: Callable[[AsyncEngine, GraphClient, Settings], Awaitable[Done]]) -> Done:
    from lead_signals.connections.app_graph import app_graph, graph_http_client

    async def with_graph(engine: AsyncEngine, settings: Settings) -> Done:
        async with graph_http_client() as client:
            return await do(engine, app_graph(settings, client), settings)

    return at_the_database("channels", data_dir, with_graph)


def _show(found: list[ConnectedChannel]) -> None:
    """A plain table. Names come from strangers: nothing in them moves the cursor."""
    from lead_signals.printable import printable_table

    if not found:
        click.echo("No channel is connected. Connect one with lead-signals channels connect.")
        return
    for line in printable_table([COLUMNS, *((*_cells(channel), str(channel.id)) for channel in found)]):
        click.echo(line)


def _cells(channel: ConnectedChannel) -> tuple[str, ...]:
    return (
        channel.tenant_name,
        channel.platform,
        channel.external_id,
        channel.name or "-",
        channel.token_state,
        _heard(channel),
    )


def _heard(channel: ConnectedChannel) -> str:
    if channel.last_heard_at is not None:
        return f"{channel.last_heard_at:%Y-%m-%d %H:%M}{' (quiet)' if channel.quiet_since is not None else ''}"
    return "not yet tallied" if clock.now() - channel.created_at < TALLIED_WITHIN else "never"
