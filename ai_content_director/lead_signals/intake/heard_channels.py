"""Which channels were heard, hour by hour, from the receipts of their deliveries."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from lead_signals.connections.heard_hour import HeardHour
from lead_signals.intake.receipt import receipts
from lead_signals.tenancy.tenant_session import TenantSession


async def heard_channels(session: TenantSession, tenant_id: UUID, after: datetime, until: datetime) -> Sequence[HeardHour]:
    """All that the tenant's channels said with receipts of after `after`, up to and with `until`. Ids nobody connected are among them."""
    said = (
        select(receipts.c.platform, func.unnest(receipts.c.channels).label("external_id"), receipts.c.received_at)
        .where(receipts.c.tenant_id == tenant_id, receipts.c.received_at > after, receipts.c.received_at <= until)
        .subquery()
    )
    hour = func.date_trunc("hour", said.c.received_at, "UTC")
    rows = await session.execute(
        select(
            said.c.platform, said.c.external_id, hour.label("hour"), func.count().label("cnt"), func.max(said.c.received_at).label("last")
        )
        .group_by(said.c.platform, said.c.external_id, hour)
        .order_by(hour, said.c.platform, said.c.external_id)
    )
    return [HeardHour(row.platform, row.external_id, row.hour, row.cnt, row.last) for row in rows]
