"""A worker says that it lives; `/ready` and `doctor` hear when it no longer does."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.database.metadata import metadata

BEAT_SECONDS = 5.0
SILENT_AFTER_SECONDS = 15.0  # three missed beats

worker_heartbeats = Table(
    "worker_heartbeats",
    metadata,
    Column("worker_id", Uuid, primary_key=True),
    Column("host", Text, nullable=False),
    Column("process_id", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("beat_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


@dataclass(frozen=True, slots=True)
class WorkersSeen:
    """How many workers beat lately, and when the last beat of any was (None: there never was one)."""

    alive: int
    last_beat_at: datetime | None


async def beat(connection: AsyncConnection, worker_id: UUID) -> None:
    """Write this worker's beat, and forget workers silent for a day."""
    await connection.execute(
        insert(worker_heartbeats)
        .values(worker_id=worker_id, host=socket.gethostname(), process_id=os.getpid())
        .on_conflict_do_update(index_elements=["worker_id"], set_={"beat_at": func.now()})
    )
    await connection.execute(delete(worker_heartbeats).where(worker_heartbeats.c.beat_at < func.now() - text("interval '1 day'")))


async def say_goodbye(connection: AsyncConnection, worker_id: UUID) -> None:
    """Take an orderly leave: a stopped worker is not a silent one."""
    await connection.execute(delete(worker_heartbeats).where(worker_heartbeats.c.worker_id == worker_id))


async def workers_seen(connection: AsyncConnection) -> WorkersSeen:
    """Who beat within SILENT_AFTER_SECONDS, by the database's clock."""
    fresh = worker_heartbeats.c.beat_at > func.now() - text(f"interval '{SILENT_AFTER_SECONDS} seconds'")
    row = (
        await connection.execute(select(func.count().filter(fresh).label("alive"), func.max(worker_heartbeats.c.beat_at).label("last")))
    ).one()
    return WorkersSeen(alive=row.alive, last_beat_at=row.last)
