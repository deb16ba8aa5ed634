"""A pooled connection carries nothing from one tenant to the next, however the one before it ended."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import across_tenants_session, enter_tenant, tenant_session

CONNECTIONS = 3
SESSIONS_AT_ONCE = 200
ROUNDS = 30
WHAT_IS_SET = text("SELECT current_setting('app.tenant_id', true), current_setting('app.across_tenants', true)")


@pytest.fixture
async def one_connection(database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A pool of one: whoever asks next gets the connection that was used before."""
    engine = app_engine(database.app, application_name="tests", pool_size=1)
    yield engine
    await engine.dispose()


async def assert_nothing_left(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert all(not value for value in (await connection.execute(WHAT_IS_SET)).one())
        assert (await connection.execute(text("SELECT count(*) FROM tenants"))).scalar_one() == 0


async def test_after_a_commit_nothing_is_left(one_connection: AsyncEngine, tenant_id: UUID) -> None:
    async with tenant_session(one_connection, tenant_id) as session:
        backend = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        assert (await session.execute(text("SELECT count(*) FROM tenants"))).scalar_one() == 1
    async with one_connection.connect() as connection:
        assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one() == backend, "this is another connection"
    await assert_nothing_left(one_connection)


async def test_after_an_error_nothing_is_left(one_connection: AsyncEngine, tenant_id: UUID) -> None:
    with pytest.raises(DBAPIError):
        async with tenant_session(one_connection, tenant_id) as session:
            await session.execute(text("SELECT 1/0"))
    await assert_nothing_left(one_connection)


async def test_after_a_cancel_nothing_is_left(one_connection: AsyncEngine, tenant_id: UUID) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2), tenant_session(one_connection, tenant_id) as session:
            await session.execute(text("SELECT pg_sleep(60)"))
    await assert_nothing_left(one_connection)


async def test_after_looking_across_tenants_nothing_is_left(one_connection: AsyncEngine, tenant_id: UUID) -> None:
    async with across_tenants_session(one_connection) as session:
        assert (await session.execute(text("SELECT count(*) FROM tenants"))).scalar_one() > 0
    await assert_nothing_left(one_connection)


async def test_turning_to_another_tenant_forgets_the_first(one_connection: AsyncEngine, tenant_id: UUID) -> None:
    other = (await onboard_tenant(one_connection, Onboarding(tenant_name="Trà Tân Cương"))).tenant.id
    async with one_connection.begin() as connection:
        for here in (tenant_id, other, tenant_id):
            session = await enter_tenant(connection, here)
            assert (await session.execute(text("SELECT id FROM tenants"))).scalars().all() == [here]


async def test_200_sessions_over_3_connections_with_cancels_see_no_foreign_row(database: DatabaseAddresses) -> None:
    engine = app_engine(database.app, application_name="tests", pool_size=CONNECTIONS)
    tenants = [(await onboard_tenant(engine, Onboarding(tenant_name=f"Khách {number}"))).tenant.id for number in range(4)]
    chance, outcomes, foreign = random.Random(20261122), Counter[str](), []

    async def sessions_of(number: int) -> None:
        for turn in range(ROUNDS):
            here = tenants[(number + turn) % len(tenants)]
            try:
                async with asyncio.timeout(sometimes(chance, 0.5)), tenant_session(engine, here) as session:
                    async with asyncio.timeout(sometimes(chance, 0.003)):
                        seen = set((await session.execute(text("SELECT id FROM tenants"))).scalars())
                        if chance.random() < 0.05:
                            await session.execute(text("SELECT 1/0"))
                outcomes["seen"] += 1
                if seen != {here}:
                    foreign.append((here, seen))
            except PoolTimeoutError:
                outcomes["no connection free"] += 1
            except TimeoutError:
                outcomes["cancelled"] += 1
            except DBAPIError:
                outcomes["failed"] += 1

    await asyncio.gather(*(sessions_of(number) for number in range(SESSIONS_AT_ONCE)))
    assert foreign == []
    assert outcomes["seen"] > SESSIONS_AT_ONCE, outcomes
    assert outcomes["cancelled"] > 10, outcomes
    assert outcomes["failed"] > 10, outcomes
    assert sum(outcomes.values()) == SESSIONS_AT_ONCE * ROUNDS
    for _ in range(CONNECTIONS * 2):
        await assert_nothing_left(engine)
    with suppress(DBAPIError):
        await engine.dispose()


def sometimes(chance: random.Random, most_seconds: float) -> float | None:
    """A time limit for one session in twelve: it ends while waiting for a connection, in a statement, or at its commit."""
    return chance.uniform(0, most_seconds) if chance.random() < 1 / 12 else None
