"""What tests of delivering share: a database in which nobody else owes anything."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine


@pytest.fixture
async def alone(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """An engine on it, as the application role."""
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=8)
    yield engine
    await engine.dispose()
