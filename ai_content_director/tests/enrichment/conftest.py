"""What tests of look-ups share: a house with nothing owed, and Graph on loopback."""

import base64
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.settings import Settings, read_settings
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from tests.conftest import execute
from tests.enrichment.house import House
from tests.graph_api.graph_stand_in import APP_ID, APP_SECRET, GraphStandIn, graph_stand_in


@pytest.fixture(scope="session")
def quiet_database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """Where only tests of look-ups take place."""
    return make_database()


@pytest.fixture
async def alone(quiet_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database in which nothing is owed: claims go across all tenants, those of earlier tests too."""
    await execute(quiet_database.owner, "TRUNCATE look_ups")
    engine = app_engine(quiet_database.app, application_name="tests", pool_size=8)
    yield engine
    await engine.dispose()


@pytest.fixture
def world() -> Iterator[GraphStandIn]:
    """Graph, for one test."""
    with graph_stand_in() as world:
        yield world


@pytest.fixture
async def graph(world: GraphStandIn) -> AsyncIterator[GraphClient]:
    """Our door to it; a call that hangs is given up after three seconds."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield GraphClient(client, world.base_url, app_id=APP_ID, app_secret=APP_SECRET, timeout_seconds=3)


@pytest.fixture
def settings() -> Settings:
    """Somebody listens to follow-ups, and tokens can be sealed."""
    return read_settings(
        {
            "WEBHOOK_URL": "http://n8n.example/webhook",
            "PUBLIC_BASE_URL": "https://leads.example.vn",
            "CHANNEL_TOKEN_KEY": base64.urlsafe_b64encode(b"an invented key, 32 bytes long!!").decode(),
        }
    )


@pytest.fixture
async def house(alone: AsyncEngine, settings: Settings, graph: GraphClient, world: GraphStandIn) -> House:
    """A tenant whose Page is not connected yet."""
    tenant = await onboard_tenant(alone, Onboarding(tenant_name="Xưởng May Hương Sen", industry="May mặc"))
    return House(alone, tenant.tenant.id, settings, graph, world)
