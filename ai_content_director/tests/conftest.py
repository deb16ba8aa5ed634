"""What tests share: a real PostgreSQL thrown away at the end, databases inside it, tenants inside those.

`--postgres-bin DIR` runs everything on another PostgreSQL's programs (Debian's, say) as an operator's server; without it the embedded
one is used. A DATABASE_URL of the environment is never touched.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import app_engine
from lead_signals.database.migrate import migrate
from lead_signals.database.roles import APP_ROLE
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant

TEMPLATE = "lead_signals_template"
SHARED = Path(__file__).resolve().parents[3] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres-bin", default=None, help="folder with the programs of another PostgreSQL (15 or newer)")
    parser.addoption("--mutations", type=int, default=3_000, help="how many mutated payloads to send through the door, over all platforms")
    parser.addoption("--mutation-seed", type=int, default=None, help="make the same mutations again as a run that failed")
    parser.addoption("--kills", type=int, default=3, help="how often the worker is killed amid deliveries, in each such test")
    parser.addoption("--kill-seed", type=int, default=None, help="choose the same moments again as a run that failed")


def pytest_report_header(config: pytest.Config) -> str:
    return f"postgresql: {config.getoption('--postgres-bin') or 'embedded'}"


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """Tests say themselves what is set."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "APP_ENV", "WEBHOOK_URL", "FACEBOOK_APP_SECRET", "OPERATOR_API_KEY"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def postgres_binaries(pytestconfig: pytest.Config) -> PostgresBinaries | None:
    """The programs under test; None means the embedded ones."""
    folder = pytestconfig.getoption("--postgres-bin")
    return None if folder is None else PostgresBinaries(Path(folder))


@pytest.fixture(scope="session")
def postgres(postgres_binaries: PostgresBinaries | None) -> Iterator[EmbeddedServer]:
    """One server for all tests of this process."""
    directory = Path(tempfile.mkdtemp(prefix="ls-"))
    directory.chmod(0o711)  # PostgreSQL 15's initdb loses its working folder below a closed one; the embedded 18 does not
    server = EmbeddedServer(directory / "data", postgres_binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def make_database(postgres: EmbeddedServer, postgres_binaries: PostgresBinaries | None) -> Callable[[], DatabaseAddresses]:
    """A fresh migrated database at each call, copied from one that was migrated once."""

    def addresses(name: str) -> DatabaseAddresses:
        owner = postgres.superuser_url(name)
        # On an operator's server one login may do both; the embedded one has two.
        return DatabaseAddresses(owner=owner, app=postgres.url(APP_ROLE, name) if postgres_binaries is None else owner)

    def make() -> DatabaseAddresses:
        name = f"test_{uuid4().hex}"
        asyncio.run(execute(postgres.superuser_url(), f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        return addresses(name)

    asyncio.run(execute(postgres.superuser_url(), f"CREATE DATABASE {TEMPLATE}"))
    migrate(addresses(TEMPLATE))
    return make


async def execute(address: str, statement: str) -> None:
    """Run one statement as the login of `address`, outside any transaction."""
    connection = await asyncpg.connect(dsn=address)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """The database that tests share; each takes a tenant of its own in it."""
    return make_database()


@pytest.fixture
def fresh_database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database for one test alone."""
    return make_database()


@pytest.fixture
async def engine(database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """The shared database, as the application role."""
    engine = app_engine(database.app, application_name="tests", pool_size=5)
    yield engine
    await engine.dispose()


@pytest.fixture
async def tenant_id(engine: AsyncEngine) -> UUID:
    """A fresh tenant."""
    onboarded = await onboard_tenant(engine, Onboarding(tenant_name="Xưởng May Hương Sen", industry="May mặc"))
    return onboarded.tenant.id


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real payloads and corpora beside the repository; tests that only it feeds are skipped without it."""
    if not SHARED.is_dir():
        pytest.skip(f"no real payloads and corpora at {SHARED}: the own fixtures prove the same behaviour")
    return SHARED


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"
