"""A Graph to talk to, and clients for it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from lead_signals.graph_api.graph_client import GraphClient
from tests.graph_api.graph_stand_in import GraphStandIn, graph_stand_in


@pytest.fixture
def graph() -> Iterator[GraphStandIn]:
    with graph_stand_in() as standing_in:
        yield standing_in


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client that would follow redirects if it were left to."""
    async with httpx.AsyncClient(follow_redirects=True) as client:
        yield client


@pytest.fixture
def client(graph: GraphStandIn, http: httpx.AsyncClient) -> GraphClient:
    return GraphClient(http, graph.base_url, app_id=graph.app_id, app_secret=graph.app_secret)
