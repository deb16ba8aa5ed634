"""What tests of connections share: Graph's understudy, and a shop whose Page lives there."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from lead_signals.connections.app_graph import app_graph, graph_http_client
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.settings import read_settings
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from tests.connections.connected_pages import Shop, environment
from tests.graph_api.graph_stand_in import GraphStandIn, graph_stand_in
from tests.intake.open_door import fetch_now


@pytest.fixture
def stand_in() -> Iterator[GraphStandIn]:
    """A Graph in which one Page lives."""
    with graph_stand_in() as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def one_database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """The one database of these tests, which look across tenants; each leaves it without channels."""
    return make_database()


@pytest.fixture
def no_channels(one_database: DatabaseAddresses) -> Iterator[DatabaseAddresses]:
    """A database in which nobody has connected anything, and nothing is left when the test ends."""
    yield one_database
    fetch_now(one_database.owner, "DELETE FROM channels")
    fetch_now(one_database.owner, "DELETE FROM unrouted_deliveries")


@pytest.fixture
async def shop(no_channels: DatabaseAddresses, stand_in: GraphStandIn) -> AsyncIterator[Shop]:
    """A tenant in a database in which nobody else has the Page."""
    settings = read_settings(environment(stand_in))
    engine = app_engine(no_channels.app, application_name="tests", pool_size=5)
    tenant = (await onboard_tenant(engine, Onboarding(tenant_name="Nội thất Hoa Sen"))).tenant.id
    async with graph_http_client() as client:
        yield Shop(engine, app_graph(settings, client), settings, tenant, stand_in)
    await engine.dispose()
