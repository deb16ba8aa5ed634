"""Renew seals: what an older key sealed is sealed by the first one, so that the older key can go; old secrets that are over are erased."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, SealedPart, UnopenedEndpoint
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

RENEW_SEALS_SECONDS = 3600.0


async def renew_seals(engine: AsyncEngine, settings: Settings, *, now: datetime) -> int:
    """A round over the endpoints of all tenants, one transaction for each that wants it; how many were written anew.

    What no key here opens stays as it is: another process may well have the key.
    """
    seal = EndpointSeal(settings.channel_token_key)
    if not seal.can_seal:
        return 0
    async with across_tenants_session(engine) as everywhere:
        rows = (await everywhere.execute(select(follow_up_endpoints).where(follow_up_endpoints.c.removed_at.is_(None)))).all()
    wanting = [row for row in rows if _wants(seal, row, now)]
    return sum([await _renew(engine, seal, row.tenant_id, row.id, now) for row in wanting])


def _wants(seal: EndpointSeal, row: Row[Any], now: datetime) -> bool:
    if row.old_secret_until is not None and row.old_secret_until <= now:
        return True
    parts = [(row.sealed_address, SealedPart.ADDRESS), (row.sealed_secret, SealedPart.SECRET), (row.sealed_old_secret, SealedPart.SECRET)]
    return any(sealed is not None and not seal.is_of_the_first_key(sealed, part, row.tenant_id, row.id) for sealed, part in parts)


async def _renew(engine: AsyncEngine, seal: EndpointSeal, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> bool:
    columns = follow_up_endpoints.c
    this_one = (columns.tenant_id == tenant_id, columns.id == endpoint_id, columns.removed_at.is_(None))

    def sealed(value: SecretStr | None, part: SealedPart) -> bytes | None:
        return None if value is None else seal.seal(value, part, tenant_id, endpoint_id)

    async with tenant_session(engine, tenant_id) as session:
        row = (await session.execute(select(follow_up_endpoints).where(*this_one).with_for_update())).one_or_none()
        if row is None:
            return False
        try:
            opened = seal.open(row, now)
        except UnopenedEndpoint:
            return False
        # What they say is the same: `changed_at` stays, and no worker opens it again.
        values = {
            "sealed_address": sealed(opened.address, SealedPart.ADDRESS),
            "sealed_secret": sealed(opened.secret, SealedPart.SECRET),
            "sealed_old_secret": sealed(opened.old_secret, SealedPart.SECRET),
            "old_secret_until": opened.old_secret_until,
        }
        await session.execute(update(follow_up_endpoints).where(*this_one).values(values))
    return True
