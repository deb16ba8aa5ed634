"""What tests of endpoints share: one database, one receiver, and a tenant for each test."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.settings import read_settings
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from tests.followups.endpoints.endpoint_house import EndpointHouse, environment
from tests.intake.open_door import fetch_now
from tests.receiver import Receiver


@pytest.fixture(scope="session")
def house_database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """The one database of these tests, which look across tenants; each leaves it without endpoints."""
    return make_database()


@pytest.fixture
def no_endpoints(house_database: DatabaseAddresses) -> Iterator[DatabaseAddresses]:
    """A database in which nobody has an endpoint, and nothing is owed when the test ends."""
    yield house_database
    for table in ("follow_ups", "follow_up_endpoints", "operator_endpoint_pauses"):
        fetch_now(house_database.owner, f"DELETE FROM {table}")


@pytest.fixture(scope="session")
def own_receiver() -> Iterator[Receiver]:
    """Whom the endpoints of these tests are at."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def house(no_endpoints: DatabaseAddresses, own_receiver: Receiver) -> AsyncIterator[EndpointHouse]:
    """A tenant in a database in which nobody else has an endpoint."""
    engine = app_engine(no_endpoints.app, application_name="tests", pool_size=5)
    tenant = (await onboard_tenant(engine, Onboarding(tenant_name="Nội thất Hoa Sen"))).tenant.id
    yield EndpointHouse(engine, no_endpoints.owner, read_settings(environment()), tenant, own_receiver)
    await engine.dispose()
