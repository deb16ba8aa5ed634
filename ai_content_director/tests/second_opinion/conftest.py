"""What tests of opinions share: a house in which nothing is owed, and a model on loopback."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.language_model.model_client import OpenAIModel, open_model
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from tests.conftest import execute
from tests.language_model.model_server import ModelServer, model_server
from tests.second_opinion.asking_house import AskingHouse


@pytest.fixture(scope="session")
def asked_database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """Where only tests of opinions take place."""
    return make_database()


@pytest.fixture
async def alone(asked_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database in which nothing is owed: claims go across all tenants, those of earlier tests too."""
    await execute(asked_database.owner, "TRUNCATE opinion_requests")
    engine = app_engine(asked_database.app, application_name="tests", pool_size=16)
    yield engine
    await engine.dispose()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """The model's server, for one test."""
    with model_server() as server:
        yield server


@pytest.fixture
async def model(server: ModelServer) -> AsyncIterator[OpenAIModel]:
    """Our door to it; a question that hangs is given up after twenty seconds."""
    async with open_model(api_key="sk-invented", base_url=server.base_url, name="vua-du-dung", timeout_seconds=20) as model:
        yield model


@pytest.fixture
async def house(alone: AsyncEngine, model: OpenAIModel, server: ModelServer) -> AskingHouse:
    """A tenant whose leads are asked about, with somebody who listens to follow-ups."""
    tenant = await onboard_tenant(alone, Onboarding(tenant_name="Xưởng May Hương Sen", industry="May mặc"))
    return AskingHouse(alone, tenant.tenant.id, server, model)
