"""`lead-signals followups endpoints …`: where tenants want their follow-ups, from the server's own command line.

Imports stand in the commands, as in `cli`. A secret, and an address that is one, never come from the arguments.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import click

from lead_signals import clock
from lead_signals.cli_database import at_the_database
from lead_signals.cli_secret import read_secret

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lead_signals.followups.endpoints.add_endpoint import AddedEndpoint
    from lead_signals.followups.endpoints.endpoint_list import ShownEndpoint
    from lead_signals.followups.endpoints.remove_endpoint import RemovedEndpoint
    from lead_signals.followups.endpoints.rotate_secret import RotatedSecret
    from lead_signals.followups.endpoints.try_endpoint import TriedEndpoint
    from lead_signals.settings import Settings

Done = TypeVar("Done")

MOST_LISTED = 10_000
COLUMNS = ("tenant", "kind", "name", "address", "state", "waiting", "dead", "last (UTC)", "endpoint")
WEBHOOK_URL = "WEBHOOK_URL"
OPERATORS_ENDPOINT = UUID(int=0)


def _endpoint_id(_: click.Context, __: click.Parameter, value: str) -> UUID:
    """An endpoint by its id (the last column of the list), or the word WEBHOOK_URL for the operator's own."""
    try:
        return OPERATORS_ENDPOINT if value == WEBHOOK_URL else UUID(value)
    except ValueError:
        raise click.BadParameter("expected the id in the last column of the list, or WEBHOOK_URL.") from None


ENDPOINT = click.argument("endpoint", callback=_endpoint_id)
TENANT = click.option("--tenant", "tenant_id", type=click.UUID, required=True, help="The tenant, as POST /onboarding gave it.")
WHOSE = click.option("--tenant", "tenant_id", type=click.UUID, help="Whose endpoint it is; WEBHOOK_URL is no tenant's.")
SECRET_FILE = click.option(
    "--secret-file",
    type=click.Path(allow_dash=True),
    help="File that holds the secret (whsec_…); - asks for it, or reads standard input. Without it one is made and printed, this once.",
)
DATA_DIRECTORY = click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Data directory of the embedded PostgreSQL."
)


@click.group()
def endpoints() -> None:
    """Add, list, try, pause, rotate and remove the endpoints that follow-ups go to."""


@endpoints.command("list")
@click.option("--tenant", "tenant_id", type=click.UUID, help="Of this tenant only.")
@DATA_DIRECTORY
def list_(tenant_id: UUID | None, data_dir: Path | None) -> None:
    """Show the endpoints, what waits there and how it went lately."""
    from lead_signals.followups.endpoints.endpoint_list import list_endpoints
    from lead_signals.request_body import RefusedRequest
    from lead_signals.tenancy.tenant import find_tenant
    from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

    async def do(engine: AsyncEngine, settings: Settings) -> Sequence[ShownEndpoint]:
        if tenant_id is None:
            async with across_tenants_session(engine) as everywhere:
                return (await list_endpoints(everywhere, settings, None, now=clock.now(), limit=MOST_LISTED))[0]
        async with tenant_session(engine, tenant_id) as session:
            if await find_tenant(session, tenant_id) is None:
                raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {tenant_id}.")
            return (await list_endpoints(session, settings, tenant_id, now=clock.now(), limit=MOST_LISTED))[0]

    _show(at_the_database("endpoints", data_dir, do))


@endpoints.command()
@TENANT
@click.option("--kind", type=click.Choice(["webhook", "slack", "email"]), default="webhook", show_default=True, help="How it is spoken to.")
@click.option("--name", required=True, help="What to call it, such as `n8n of sales`.")
@click.option("--address", help="https://… of a webhook, or 1 to 5 e-mail addresses separated by commas.")
@click.option(
    "--address-file",
    type=click.Path(allow_dash=True),
    help="File that holds the address; - asks for it, or reads standard input. A Slack address is a secret and comes only so.",
)
@SECRET_FILE
@DATA_DIRECTORY
def add(
    *,
    tenant_id: UUID,
    kind: str,
    name: str,
    address: str | None,
    address_file: str | None,
    secret_file: str | None,
    data_dir: Path | None,
) -> None:
    """Add an endpoint to a tenant: from now on its urgent leads are told there.

    \b
    lead-signals followups endpoints add --tenant <TENANT_UUID> --name n8n --address https://n8n.example.vn/webhook/lead
    """
    from lead_signals.followups.endpoints.add_endpoint import add_endpoint
    from lead_signals.followups.endpoints.endpoint_wish import EndpointWish
    from lead_signals.strict_wish import read_wish

    if (address is None) == (address_file is None):
        raise click.UsageError("Say the address once: by --address, or by --address-file.")
    if address is not None and kind == "slack":
        raise click.UsageError("Whoever knows a Slack address can post with it: give it by --address-file.")
    if address_file == "-" == secret_file:
        raise click.UsageError("Only one of address and secret can come by -; put the other into a file.")
    told: dict[str, Any] = {"tenant_id": tenant_id, "kind": kind, "name": name}
    told["address"] = address if address_file is None else read_secret(address_file, "Address")
    if secret_file is not None:
        told["secret"] = read_secret(secret_file, "Secret")

    async def do(engine: AsyncEngine, settings: Settings) -> AddedEndpoint:
        return await add_endpoint(engine, settings, read_wish(EndpointWish, told), now=clock.now())

    added = at_the_database("endpoints", data_dir, do)
    _show([added.endpoint])
    _tell(added.sentence, added.secret)


@endpoints.command()
@WHOSE
@ENDPOINT
@SECRET_FILE
@click.option(
    "--keep-old-hours", type=click.IntRange(0, 168), default=24, show_default=True, help="How long the secret of before signs beside it."
)
@DATA_DIRECTORY
def rotate(*, tenant_id: UUID | None, endpoint: UUID, secret_file: str | None, keep_old_hours: int, data_dir: Path | None) -> None:
    """Give the webhook ENDPOINT a new secret; every attempt is signed by both for a while."""
    from lead_signals.followups.endpoints.endpoint_wish import RotationWish
    from lead_signals.followups.endpoints.rotate_secret import rotate_secret
    from lead_signals.strict_wish import read_wish

    told: dict[str, Any] = {"keep_old_hours": keep_old_hours}
    if secret_file is not None:
        told["secret"] = read_secret(secret_file, "New secret")

    async def do(engine: AsyncEngine, settings: Settings) -> RotatedSecret:
        return await rotate_secret(engine, settings, tenant_id, endpoint, read_wish(RotationWish, told), now=clock.now())

    rotated = at_the_database("endpoints", data_dir, do)
    _tell(rotated.sentence, rotated.secret)


@endpoints.command()
@WHOSE
@ENDPOINT
@DATA_DIRECTORY
def pause(tenant_id: UUID | None, endpoint: UUID, data_dir: Path | None) -> None:
    """Send nothing to ENDPOINT for now: what is owed there waits."""
    from lead_signals.followups.endpoints.pause_now import pause_now

    async def do(engine: AsyncEngine, settings: Settings) -> ShownEndpoint:
        return await pause_now(engine, settings, tenant_id, endpoint, now=clock.now())

    _show([at_the_database("endpoints", data_dir, do)])


@endpoints.command()
@WHOSE
@ENDPOINT
@DATA_DIRECTORY
def resume(tenant_id: UUID | None, endpoint: UUID, data_dir: Path | None) -> None:
    """Send to ENDPOINT again, what waits there at once."""
    from lead_signals.followups.endpoints.pause_now import resume_now

    async def do(engine: AsyncEngine, settings: Settings) -> ShownEndpoint:
        return await resume_now(engine, settings, tenant_id, endpoint, now=clock.now())

    _show([at_the_database("endpoints", data_dir, do)])


@endpoints.command()
@WHOSE
@ENDPOINT
@click.option("--yes", is_flag=True, help="Do not ask.")
@DATA_DIRECTORY
def remove(*, tenant_id: UUID | None, endpoint: UUID, yes: bool, data_dir: Path | None) -> None:
    """Remove ENDPOINT: its address and secrets are erased, what is owed there is cancelled."""
    from lead_signals.followups.endpoints.remove_endpoint import remove_endpoint
    from lead_signals.printable import printable

    if not yes and endpoint != OPERATORS_ENDPOINT:
        click.confirm("Its address and secrets are erased, and what is owed there is cancelled. Remove it?", abort=True)

    async def do(engine: AsyncEngine, settings: Settings) -> RemovedEndpoint:
        return await remove_endpoint(engine, settings, tenant_id, endpoint)

    removed = at_the_database("endpoints", data_dir, do)
    running = f" Attempts that run just now: {removed.in_delivery}; they come to their end." if removed.in_delivery else ""
    click.echo(f"{printable(removed.name)} is removed. Cancelled follow-ups: {removed.cancelled}.{running} {removed.sentence}")


@endpoints.command("test")
@WHOSE
@ENDPOINT
@DATA_DIRECTORY
def test(tenant_id: UUID | None, endpoint: UUID, data_dir: Path | None) -> None:
    """Send a follow-up that is clearly no lead to ENDPOINT now. Exit status 0 when it was delivered, else 1."""
    from lead_signals.followups.endpoints.try_endpoint import try_endpoint
    from lead_signals.printable import printable

    async def do(engine: AsyncEngine, settings: Settings) -> TriedEndpoint:
        return await try_endpoint(engine, settings, tenant_id, endpoint, now=clock.now())

    tried = at_the_database("endpoints", data_dir, do)
    status = "" if tried.http_status is None else f"HTTP {tried.http_status}, "
    click.echo(f"{tried.sentence} {status}{tried.duration_ms} ms, {tried.webhook_id}.")
    if tried.answer and not tried.ok:
        click.echo(f"It said: {printable(tried.answer)[:500]}")
    sys.exit(0 if tried.ok else 1)


def _show(found: Sequence[ShownEndpoint]) -> None:
    """A plain table, and below it what needs a hand. Names come from strangers: nothing in them moves the cursor."""
    from lead_signals.printable import printable, printable_table

    if not found:
        click.echo("There is no endpoint. Add one with lead-signals followups endpoints add.")
        return
    for line in printable_table([COLUMNS, *(_cells(endpoint) for endpoint in found)]):
        click.echo(line)
    for endpoint in found:
        if endpoint.trouble is not None:
            click.echo(f"{printable(endpoint.name)}: {endpoint.trouble}")


def _cells(endpoint: ShownEndpoint) -> tuple[str, ...]:
    return (
        endpoint.tenant_name or "-",
        endpoint.kind,
        endpoint.name if endpoint.tenant_id is not None else f"{WEBHOOK_URL} (operator's)",
        endpoint.address,
        endpoint.state,
        _waiting(endpoint),
        str(endpoint.dead),
        _last(endpoint),
        str(endpoint.id) if endpoint.tenant_id is not None else WEBHOOK_URL,
    )


def _waiting(endpoint: ShownEndpoint) -> str:
    if endpoint.oldest_waiting_seconds is None:
        return "0"
    minutes = int(endpoint.oldest_waiting_seconds // 60)
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    return f"{endpoint.waiting} (oldest {age})"


def _last(endpoint: ShownEndpoint) -> str:
    """How the last attempt that is known ended."""
    delivered, failed = endpoint.last_delivered_at, endpoint.last_failure_at
    if failed is not None and (delivered is None or delivered < failed):
        return f"{endpoint.last_failure or 'failed'} {failed:%Y-%m-%d %H:%M}"
    return "never" if delivered is None else f"delivered {delivered:%Y-%m-%d %H:%M}"


def _tell(sentence: str, secret: str | None) -> None:
    click.echo(sentence)
    if secret is not None:
        click.echo(f"Secret: {secret}")
