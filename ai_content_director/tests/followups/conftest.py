"""What tests of follow-ups share: a receiver and a product that owes it, for all of them. Each test takes a tenant."""

from collections.abc import Callable, Iterator

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.door import Door
from tests.product import Api, Product, product_on
from tests.receiver import Receiver

SIGNING_SECRET = "whsec_bWF5IGtodSB2dW9uIHRoZW0gbW90IGNhaSBjdWE="
CONSOLE = "https://leads.example.vn"


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Whom every follow-up is for."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def product(
    make_database: Callable[[], DatabaseAddresses], receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """A worker that signs, and gives an attempt one second: the clamp makes that three."""
    settings = {
        "WEBHOOK_URL": receiver.url,
        "WEBHOOK_SIGNING_SECRET": SIGNING_SECRET,
        "N8N_WEBHOOK_TIMEOUT_SECONDS": "1",
        "PUBLIC_BASE_URL": CONSOLE,
    }
    with product_on(make_database(), tmp_path_factory.mktemp("logs"), **settings) as product:
        product.start_worker(lease_seconds=20)
        yield product


@pytest.fixture(scope="session")
def api(product: Product) -> Api:
    """The door of all tests."""
    return product.start_api()


@pytest.fixture
def door(api: Api, product: Product) -> Iterator[Door]:
    """A client for one test, after which the logs are printed."""
    with Door(api.base_url) as door:
        yield door
    product.print_logs()
