"""A delivery for a Page that no tenant has connected: kept whole and shown to the operator, for it belongs to nobody yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, DateTime, Index, LargeBinary, Table, Text, Uuid, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.channel import channels

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


async def unknown_channels(connection: AsyncConnection, *, limit: int = 1000) -> Sequence[UnknownChannel]:
    """The Pages that wrote most recently and are connected to nobody still."""
    newest = func.max(unrouted_deliveries.c.received_at)
    rows = await connection.execute(
        select(
            unrouted_deliveries.c.platform,
            unrouted_deliveries.c.channel_external_id,
            func.count().label("deliveries"),
            newest.label("last"),
        )
        .where(~_is_connected())
        .group_by(unrouted_deliveries.c.platform, unrouted_deliveries.c.channel_external_id)
        .order_by(newest.desc())
        .limit(limit)
    )
    return [UnknownChannel(row.platform, row.channel_external_id, row.deliveries, row.last) for row in rows]


async def count_kept_for_connected(connection: AsyncConnection) -> int:
    """How many kept deliveries are of Pages that were connected since: they are whole, and nobody has read them yet."""
    kept: int = (await connection.execute(select(func.count()).select_from(unrouted_deliveries).where(_is_connected()))).scalar_one()
    return kept


def _is_connected() -> ColumnElement[bool]:
    return exists().where(
        channels.c.platform == unrouted_deliveries.c.platform, channels.c.external_id == unrouted_deliveries.c.channel_external_id
    )
