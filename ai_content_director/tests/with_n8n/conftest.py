"""The stage of the proof with the real n8n: PostgreSQL, an API, a worker and one n8n with our workflows, for all of its tests.

`bin/test --with-n8n` installs n8n and asks for these tests; nobody else collects them, because n8n takes 3 GB and ten minutes to come.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.door import Door
from tests.product import Api, Product, product_on
from tests.with_n8n.n8n_editor import N8nEditor
from tests.with_n8n.n8n_store import N8nStore
from tests.with_n8n.real_n8n import RealN8n
from tests.with_n8n.signed_post import NEW_SECRET, OLD_SECRET

ASKED_FOR = "--with-n8n"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(ASKED_FOR, action="store_true", help="run the tests with the real n8n; bin/test --with-n8n installs it first")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True leaves a file of this folder out."""
    return None if config.getoption(ASKED_FOR, default=False) else True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption(ASKED_FOR, default=False):
        terminalreporter.write_line("Left out: the tests with the real n8n (bin/test --with-n8n).")


@dataclass(frozen=True, slots=True)
class Stage:
    """Both sides, running, and what looks into them."""

    product: Product
    api: Api
    door: Door
    n8n: RealN8n
    store: N8nStore
    editor: N8nEditor

    def receipts(self, tenant_id: str) -> list[tuple[str, str | None, str | None]]:
        """(status, reference, note) of what n8n told about this tenant's follow-ups, in the order it was told."""
        rows = self.product.rows.of(
            "SELECT status, reference, note FROM follow_up_receipts WHERE tenant_id = $1 ORDER BY received_at", tenant_id
        )
        return [(row["status"], row["reference"], row["note"]) for row in rows]


@pytest.fixture(scope="session")
def running(make_database: Callable[[], DatabaseAddresses], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Lead Signals signs with the old secret; n8n knows the new one and the old one."""
    folder: Path = tmp_path_factory.mktemp("n8n")
    n8n = RealN8n(folder, {"WEBHOOK_SIGNING_SECRET": f"{NEW_SECRET} {OLD_SECRET}"})
    settings = {"WEBHOOK_URL": n8n.webhook_url, "WEBHOOK_SIGNING_SECRET": OLD_SECRET, "N8N_WEBHOOK_TIMEOUT_SECONDS": "10"}
    with product_on(make_database(), tmp_path_factory.mktemp("logs"), **settings) as product:
        api = product.start_api()
        try:
            n8n.knows(LEAD_SIGNALS_URL=api.base_url)
            n8n.import_workflows()
            n8n.start()
            product.start_worker(lease_seconds=20)
            store = N8nStore(n8n.database_path)
            editor = N8nEditor(n8n.base_url, store)
            with Door(api.base_url) as door:
                yield Stage(product, api, door, n8n, store, editor)
            editor.close()
        finally:
            n8n.stop()
            n8n.print_log()


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """The stage for one test, after which the logs are printed."""
    yield running
    running.product.print_logs()
    running.n8n.print_log()
