"""The health check of a worker's container hears its own worker, and no other."""

from sqlalchemy import text, update

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.heartbeat import beat, say_goodbye, worker_heartbeats
from lead_signals.database.new_id import new_id
from lead_signals.health.this_worker_beats import this_worker_beats


async def seen(database: DatabaseAddresses, host: str) -> bool:
    return await this_worker_beats(database.app, host)


async def test_a_fresh_beat_is_heard_a_stale_or_foreign_one_is_not(fresh_database: DatabaseAddresses) -> None:
    worker_id = new_id()
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=1)
    try:
        assert not await seen(fresh_database, "container-1")
        async with engine.begin() as connection:
            await beat(connection, worker_id)
            await connection.execute(update(worker_heartbeats).values(host="container-1"))
        assert await seen(fresh_database, "container-1")
        assert not await seen(fresh_database, "container-2")
        async with engine.begin() as connection:
            await connection.execute(update(worker_heartbeats).values(beat_at=text("now() - interval '16 seconds'")))
        assert not await seen(fresh_database, "container-1")
        async with engine.begin() as connection:
            await beat(connection, worker_id)
        assert await seen(fresh_database, "container-1")
        async with engine.begin() as connection:
            await say_goodbye(connection, worker_id)
        assert not await seen(fresh_database, "container-1")
    finally:
        await engine.dispose()
