"""A delivery for a Page that no tenant has connected: kept whole and shown to the operator, for it belongs to nobody yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ColumnElement, DateTime, Index, LargeBinary, Table, Text, Uuid, delete, exists, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.tenant_session import AcrossTenantsSession

unrouted_deliveries = Table(
    "unrouted_deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("channel_external_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("admitted_at", DateTime(timezone=True)),  # when its Page was connected and its items became leads
    Index("ix_unrouted_deliveries_channel", "platform", "channel_external_id", "received_at"),
)


# Items that name no Page, and the Page "0" in whose name Meta's App Dashboard sends its samples: kept, and nobody can connect them.
NO_PAGES = ("", "0")


@dataclass(frozen=True, slots=True)
class UnknownChannel:
    """A Page that writes to us although nobody connected it."""

    platform: str
    external_id: str
    deliveries: int
    last_received_at: datetime


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """The part of a delivery that was about one unknown Page."""

    id: UUID
    received_at: datetime
    body: bytes


async def keep_unrouted(connection: AsyncConnection, platform: str, bodies: dict[str, bytes]) -> None:
    """Keep, for each unknown Page id, the part of the delivery that is about it."""
    if bodies:
        await connection.execute(
            insert(unrouted_deliveries),
            [{"id": new_id(), "platform": platform, "channel_external_id": page, "body": body} for page, body in bodies.items()],
        )


async def unknown_channels(connection: AsyncConnection, *, limit: int = 1000) -> Sequence[UnknownChannel]:
    """The Pages that wrote most recently and are connected to nobody (still, or any more); samples of the dashboard are left out."""
    newest = func.max(unrouted_deliveries.c.received_at)
    rows = await connection.execute(
        select(
            unrouted_deliveries.c.platform,
            unrouted_deliveries.c.channel_external_id,
            func.count().label("deliveries"),
            newest.label("last"),
        )
        .where(_waits(), ~_is_connected(), unrouted_deliveries.c.channel_external_id.not_in(NO_PAGES))
        .group_by(unrouted_deliveries.c.platform, unrouted_deliveries.c.channel_external_id)
        .order_by(newest.desc())
        .limit(limit)
    )
    return [UnknownChannel(row.platform, row.channel_external_id, row.deliveries, row.last) for row in rows]


async def count_kept_for_connected(connection: AsyncConnection) -> int:
    """How many kept deliveries are of Pages that were connected since and wait to be admitted."""
    kept: int = (
        await connection.execute(select(func.count()).select_from(unrouted_deliveries).where(_waits(), _is_connected()))
    ).scalar_one()
    return kept


async def connected_channels_with_kept(session: AcrossTenantsSession) -> Sequence[tuple[str, str]]:
    """Platform and id of each connected channel that has deliveries waiting to be admitted."""
    rows = await session.execute(
        select(unrouted_deliveries.c.platform, unrouted_deliveries.c.channel_external_id).where(_waits(), _is_connected()).distinct()
    )
    return [(row.platform, row.channel_external_id) for row in rows]


async def claim_kept(
    session: AcrossTenantsSession, platform: str, channel_external_id: str, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[KeptDelivery]:
    """The next kept deliveries of a channel that were not admitted, oldest first, locked until the transaction ends.

    Those that somebody else has locked are left out. `after` is the place of the last one seen.
    """
    place = tuple_(unrouted_deliveries.c.received_at, unrouted_deliveries.c.id)
    where = [unrouted_deliveries.c.platform == platform, unrouted_deliveries.c.channel_external_id == channel_external_id, _waits()]
    if after is not None:
        where.append(place > tuple_(*after))
    rows = await session.execute(
        select(unrouted_deliveries.c.id, unrouted_deliveries.c.received_at, unrouted_deliveries.c.body)
        .where(*where)
        .order_by(unrouted_deliveries.c.received_at, unrouted_deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [KeptDelivery(row.id, row.received_at, row.body) for row in rows]


async def mark_admitted(session: AcrossTenantsSession, delivery_ids: Collection[UUID]) -> None:
    """Their items are with their tenant now."""
    if delivery_ids:
        await session.execute(update(unrouted_deliveries).where(unrouted_deliveries.c.id.in_(delivery_ids)).values(admitted_at=func.now()))


async def remove_kept_before(session: AcrossTenantsSession, moment: datetime, *, limit: int) -> int:
    """Remove at most `limit` kept deliveries that came before `moment`, admitted or not; how many went."""
    # By id, which sorts by time: the oldest stand first, and a full batch is found without reading the rest.
    oldest = (
        select(unrouted_deliveries.c.id)
        .where(unrouted_deliveries.c.received_at < moment)
        .order_by(unrouted_deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    removed = await session.execute(delete(unrouted_deliveries).where(unrouted_deliveries.c.id.in_(oldest)))
    return removed.rowcount


def _waits() -> ColumnElement[bool]:
    return unrouted_deliveries.c.admitted_at.is_(None)


def _is_connected() -> ColumnElement[bool]:
    return exists().where(
        channels.c.platform == unrouted_deliveries.c.platform,
        channels.c.external_id == unrouted_deliveries.c.channel_external_id,
        channels.c.disconnected_at.is_(None),
    )
