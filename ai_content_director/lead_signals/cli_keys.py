"""`lead-signals keys`: the keys by which a tenant's own programs deliver."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import click

from lead_signals.cli_database import at_the_database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lead_signals.settings import Settings

Done = TypeVar("Done")

LONGEST_NAME_CHARACTERS = 200


def _readable_name(_: click.Context, __: click.Parameter, name: str) -> str:
    """The name without blanks around it, when a person can read it in a list."""
    if not 0 < len(name.strip()) <= LONGEST_NAME_CHARACTERS or not name.isprintable():
        raise click.BadParameter(f"expected 1 to {LONGEST_NAME_CHARACTERS} printable characters.")
    return name.strip()


TENANT = click.option("--tenant", "tenant_id", type=click.UUID, required=True, help="Whose key it is.")
DATA_DIRECTORY = click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The embedded PostgreSQL of a running `serve`."
)


@click.group()
def keys() -> None:
    """API keys of a tenant: its programs send them in place of the platform's signature."""


@keys.command("make")
@TENANT
@click.option("--name", required=True, callback=_readable_name, help="What it is for, such as `CRM bridge`.")
@DATA_DIRECTORY
def make(tenant_id: UUID, name: str, data_dir: Path | None) -> None:
    """Make a key and print it, this once."""
    from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
    from lead_signals.tenancy.api_key import make_api_key
    from lead_signals.tenancy.tenant_session import TenantSession

    async def do(session: TenantSession) -> str:
        key_id, key = await make_api_key(session, tenant_id, name)
        await record(session, tenant_id, [AuditEvent(AuditEventType.API_KEY_MADE, "api_key", key_id, {}, OPERATOR)])
        return key

    click.echo(_in_tenant(tenant_id, data_dir, do))
    click.echo("Keep it now: it is stored as a hash and cannot be shown again. Send it as 'Authorization: Bearer <key>'.", err=True)


@keys.command("list")
@TENANT
@DATA_DIRECTORY
def list_(tenant_id: UUID, data_dir: Path | None) -> None:
    """Show the keys of a tenant, without the keys themselves."""
    from lead_signals.printable import printable
    from lead_signals.tenancy.api_key import list_api_keys
    from lead_signals.tenancy.tenant_session import TenantSession

    async def do(session: TenantSession) -> list[str]:
        return [
            f"{key.id}  {key.created_at:%Y-%m-%d}  {'revoked' if key.revoked_at else 'open   '}  {printable(key.name)}"
            for key in await list_api_keys(session, tenant_id)
        ]

    for line in _in_tenant(tenant_id, data_dir, do) or ["No key yet: lead-signals keys make --tenant … --name …"]:
        click.echo(line)


@keys.command("revoke")
@TENANT
@click.argument("key_id", type=click.UUID)
@DATA_DIRECTORY
def revoke(tenant_id: UUID, key_id: UUID, data_dir: Path | None) -> None:
    """Close a key for ever, by its id."""
    from lead_signals.audit.audit_event import OPERATOR, AuditEvent, AuditEventType, record
    from lead_signals.tenancy.api_key import revoke_api_key
    from lead_signals.tenancy.tenant_session import TenantSession

    async def do(session: TenantSession) -> None:
        if not await revoke_api_key(session, tenant_id, key_id):
            raise click.ClickException(f"This tenant has no open key {key_id}; see lead-signals keys list.")
        await record(session, tenant_id, [AuditEvent(AuditEventType.API_KEY_REVOKED, "api_key", key_id, {}, OPERATOR)])

    _in_tenant(tenant_id, data_dir, do)
    click.echo("Revoked.")


def _in_tenant(tenant_id: UUID, data_dir: Path | None, do: Callable[..., Awaitable[Done]]) -> Done:
    from lead_signals.tenancy.tenant import find_tenant
    from lead_signals.tenancy.tenant_session import tenant_session

    async def inside(engine: "AsyncEngine", _: "Settings") -> Done:
        async with tenant_session(engine, tenant_id) as session:
            if await find_tenant(session, tenant_id) is None:
                raise click.ClickException(f"There is no tenant {tenant_id}.")
            return await do(session)

    return at_the_database("keys", data_dir, inside)
