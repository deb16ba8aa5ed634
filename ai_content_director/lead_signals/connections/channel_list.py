"""Connected channels as the operator sees them. A token is told as "set"; its content never leaves the database but to be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select, true

from lead_signals.connections.watched_fields import WITHOUT_A_TOKEN
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.tenant import tenants
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession


@dataclass(frozen=True, slots=True)
class ConnectedChannel:
    """One channel. `check_sentence` says what its last check found worth telling, or what is lost without a token; None when all is
    well."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    platform: str
    external_id: str
    name: str | None
    token: Literal["set"] | None
    token_state: str
    token_expires_at: datetime | None
    subscribed_fields: list[str]
    checked_at: datetime | None
    check_sentence: str | None
    last_heard_at: datetime | None
    quiet_since: datetime | None
    created_at: datetime


async def list_channels(
    session: TenantSession | AcrossTenantsSession, tenant_id: UUID | None, *, limit: int, offset: int = 0
) -> tuple[Sequence[ConnectedChannel], int]:
    """Connected channels of one tenant, or (for an AcrossTenantsSession) of all, by tenant and age; and how many there are in all."""
    wanted = and_(channels.c.disconnected_at.is_(None), true() if tenant_id is None else channels.c.tenant_id == tenant_id)
    rows = await session.execute(
        _with_tenant().where(wanted).order_by(channels.c.tenant_id, channels.c.created_at, channels.c.id).limit(limit).offset(offset)
    )
    total = (await session.execute(select(func.count()).select_from(channels).where(wanted))).scalar_one()
    return [_channel(row) for row in rows], total


async def find_channel(session: TenantSession, tenant_id: UUID, channel_id: UUID) -> ConnectedChannel | None:
    """One connected channel of this tenant; None when there is none, or it is another's."""
    row = (
        await session.execute(
            _with_tenant().where(channels.c.tenant_id == tenant_id, channels.c.id == channel_id, channels.c.disconnected_at.is_(None))
        )
    ).one_or_none()
    return None if row is None else _channel(row)


def _with_tenant() -> Select[Any]:
    return select(channels, tenants.c.name.label("tenant_name")).join(tenants, tenants.c.id == channels.c.tenant_id)


def _channel(row: Row[Any]) -> ConnectedChannel:
    return ConnectedChannel(
        id=row.id,
        tenant_id=row.tenant_id,
        tenant_name=row.tenant_name,
        platform=row.platform,
        external_id=row.external_id,
        name=row.name,
        token=None if row.sealed_token is None else "set",
        token_state=row.token_state,
        token_expires_at=row.token_expires_at,
        subscribed_fields=list(row.subscribed_fields),
        checked_at=row.checked_at,
        check_sentence=WITHOUT_A_TOKEN.get(row.platform) if row.sealed_token is None else row.check_sentence,
        last_heard_at=row.last_heard_at,
        quiet_since=row.quiet_since,
        created_at=row.created_at,
    )
