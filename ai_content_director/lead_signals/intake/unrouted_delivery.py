"""A delivery for a Page that no tenant has connected: kept whole and shown to the operator, for it belongs to nobody yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, DateTime, Index, LargeBinary, Table, Text, Uuid, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id

unrouted_deliveries = Table(
    "unrouted_deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("channel_external_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_unrouted_deliveries_channel", "platform", "channel_external_id", "received_at"),
)


@dataclass(frozen=True, slots=True)
class UnknownChannel:
    """A Page that writes to us although nobody connected it."""

    platform: str
    external_id: str
    deliveries: int
    last_received_at: datetime


async def keep_unrouted(connection: AsyncConnection, platform: str, bodies: dict[str, bytes]) -> None:
    """Keep, for each unknown Page id, the part of the delivery that is about it."""
    if bodies:
        await connection.execute(
            insert(unrouted_deliveries),
            [{"id": new_id(), "platform": platform, "channel_external_id": page, "body": body} for page, body in bodies.items()],
        )


async def unknown_channels(connection: AsyncConnection, *, limit: int = 20) -> Sequence[UnknownChannel]:
    """The unknown Pages that wrote most recently."""
    newest = func.max(unrouted_deliveries.c.received_at)
    rows = await connection.execute(
        select(
            unrouted_deliveries.c.platform,
            unrouted_deliveries.c.channel_external_id,
            func.count().label("deliveries"),
            newest.label("last"),
        )
        .group_by(unrouted_deliveries.c.platform, unrouted_deliveries.c.channel_external_id)
        .order_by(newest.desc())
        .limit(limit)
    )
    return [UnknownChannel(row.platform, row.channel_external_id, row.deliveries, row.last) for row in rows]
