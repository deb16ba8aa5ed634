"""A database on which a promise would not hold is refused, with one sentence that says which promise and what to do."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import UnsafeDatabaseError, app_engine, assert_safe, asyncpg_url
from lead_signals.database.migrate import migrate
from lead_signals.http_app import make_app
from lead_signals.settings import read_settings
from tests.deliveries import ONBOARDING, comment
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import WEBHOOK, execute, fetch, open_door, rows_by_table
from tests.intake.own_server import NAME, empty_database, own_server
from tests.waiting import wait_until_async


@pytest.fixture(scope="module")
def server(postgres_binaries: PostgresBinaries | None) -> Iterator[EmbeddedServer]:
    with own_server(postgres_binaries) as server:
        yield server


@pytest.fixture(scope="module")
def addresses(server: EmbeddedServer) -> DatabaseAddresses:
    addresses = empty_database(server)
    migrate(addresses)
    return addresses


async def verdict_as(address: str, role: str | None = None, **server_settings: str) -> str | None:
    """Why a connection as this role would be refused; None when it is safe. Without the SET ROLE of our own engine."""
    engine = create_async_engine(asyncpg_url(address), connect_args={"server_settings": server_settings})
    try:
        async with engine.connect() as connection:
            if role is not None:
                await connection.execute(text(f"SET ROLE {role}"))
            await assert_safe(connection)
    except UnsafeDatabaseError as unsafe:
        return str(unsafe)
    finally:
        await engine.dispose()
    return None


async def test_the_application_role_is_safe_however_it_comes(addresses: DatabaseAddresses) -> None:
    assert await verdict_as(addresses.app) is None
    assert await verdict_as(addresses.owner, "lead_signals_app") is None
    for address in (addresses.app, addresses.owner):  # our engine takes the role by itself, whoever logs in
        engine = app_engine(address, application_name="tests", pool_size=1)
        async with engine.connect() as connection:
            await assert_safe(connection)
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == "lead_signals_app"
        await engine.dispose()


async def test_roles_that_pass_the_walls_are_refused(addresses: DatabaseAddresses) -> None:
    await execute(
        addresses.owner,
        "CREATE ROLE boss SUPERUSER; CREATE ROLE ghost BYPASSRLS; CREATE ROLE heir IN ROLE lead_signals_owner;"
        "CREATE ROLE squatter; CREATE TABLE squat (x int); ALTER TABLE squat OWNER TO squatter; CREATE ROLE friend IN ROLE squatter",
    )
    for role in ("postgres", "boss", "ghost", "lead_signals_owner", "heir", "squatter", "friend"):
        said = await verdict_as(addresses.owner, role)
        assert said is not None, role
        assert f"would work as {role}, which passes the tenant walls; let DATABASE_URL log in as lead_signals_app" in said


async def test_the_application_role_itself_is_refused_once_it_owns_a_table(addresses: DatabaseAddresses) -> None:
    # A table of this test's own: given back, one of ours would have lost what the application may do with it.
    await execute(addresses.owner, "CREATE TABLE public.mine (x int); ALTER TABLE public.mine OWNER TO lead_signals_app")
    try:
        assert "passes the tenant walls" in str(await verdict_as(addresses.app))
    finally:
        await execute(addresses.owner, "DROP TABLE public.mine")
    assert await verdict_as(addresses.app) is None


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_forgets_after_a_power_cut_is_refused(setting: str, addresses: DatabaseAddresses) -> None:
    await set_on_server(addresses, setting, "off")
    try:
        said = await verdict_as(addresses.app)
        assert "fsync, full_page_writes and synchronous_commit must be on" in str(said)
        ready = await ready_of(addresses)
        assert (ready.status_code, ready.json()["status"]) == (503, "unready")
        assert ready.json()["database"]["sentence"] == said
    finally:
        await set_on_server(addresses, setting, "on")
    assert await verdict_as(addresses.app) is None


async def test_commits_that_do_not_wait_for_the_disk_are_refused(addresses: DatabaseAddresses) -> None:
    assert "synchronous_commit" in str(await verdict_as(addresses.app, synchronous_commit="off"))
    assert await verdict_as(addresses.app, synchronous_commit="local") is None


async def test_the_product_does_not_start_on_an_unsafe_database(addresses: DatabaseAddresses) -> None:
    await set_on_server(addresses, "fsync", "off")
    try:
        app = make_app(addresses.app, read_settings({}))
        with pytest.raises(UnsafeDatabaseError, match="fsync"):
            async with app.router.lifespan_context(app):
                pytest.fail("it opened its doors")
    finally:
        await set_on_server(addresses, "fsync", "on")
    async with open_door(addresses.app) as client:
        assert (await client.get("/ready")).json()["database"] == {"ok": True, "sentence": "reachable"}


async def test_a_door_that_opened_before_postgresql_takes_nothing_for_an_unsafe_one(
    server: EmbeddedServer, addresses: DatabaseAddresses
) -> None:
    await set_on_server(addresses, "fsync", "off")
    before = await rows_by_table(addresses.owner)
    server.stop()
    with captured_logs() as logs:
        async with open_door(addresses.app) as client:
            server.start()
            onboarding = await client.post("/onboarding", json=ONBOARDING)
            delivery = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(uuid4())})
            assert await rows_by_table(addresses.owner) == before
            await set_on_server(addresses, "fsync", "on")
            mended = await client.post("/onboarding", json=ONBOARDING)
    assert len(logs.events("starting_without_database")) == 1
    for answer in (onboarding, delivery):
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
    assert {event["reason"].split(":")[0] for event in logs.events("database_refused")} == {
        "fsync, full_page_writes and synchronous_commit must be on in PostgreSQL"
    }
    assert mended.status_code == 201, "a mended database is not noticed"


async def test_refused_connections_are_not_left_behind(addresses: DatabaseAddresses) -> None:
    await set_on_server(addresses, "full_page_writes", "off")
    engine = app_engine(addresses.app, application_name="refused", pool_size=2)
    try:
        for _ in range(5):  # more than the pool has places: a refused connection takes none
            with pytest.raises(UnsafeDatabaseError, match="full_page_writes"):
                await engine.connect()
    finally:
        await set_on_server(addresses, "full_page_writes", "on")
        await engine.dispose()

    async def none_left() -> bool:
        return not await fetch(addresses.owner, "SELECT pid FROM pg_stat_activity WHERE application_name = 'refused'")

    await wait_until_async(none_left, "the refused connections are gone")


async def test_a_login_that_could_leave_the_application_role_is_for_a_developer_only(
    server: EmbeddedServer, addresses: DatabaseAddresses
) -> None:
    await execute(addresses.owner, "CREATE ROLE spectre LOGIN BYPASSRLS IN ROLE lead_signals_app")
    await execute(addresses.owner, "CREATE ROLE clerk LOGIN IN ROLE lead_signals_app")
    for login, passes_walls in (("postgres", True), ("spectre", True), ("clerk", False), ("lead_signals_app", False)):
        address = server.url(login, NAME)
        assert await refusal(address, production=False) is None
        said = await refusal(address, production=True)
        assert (said is not None) is passes_walls, login
        if said is not None:
            assert f"DATABASE_URL logs in as {login}, which can pass the tenant walls" in said
            assert "log in as lead_signals_app, and migrate with DATABASE_OWNER_URL" in said


async def refusal(address: str, *, production: bool) -> str | None:
    """Why the product's own engine would not work with this login."""
    engine = app_engine(address, application_name="tests", pool_size=1, production=production)
    try:
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == "lead_signals_app"
    except UnsafeDatabaseError as unsafe:
        return str(unsafe)
    finally:
        await engine.dispose()
    return None


async def test_production_does_not_start_with_the_administrators_login(addresses: DatabaseAddresses) -> None:
    secrets = {"DATABASE_URL": "postgresql://x", "FACEBOOK_APP_SECRET": "a", "FACEBOOK_VERIFY_TOKEN": "b", "OPERATOR_API_KEY": "c" * 16}
    app = make_app(addresses.owner, read_settings({"APP_ENV": "production", **secrets}))
    with pytest.raises(UnsafeDatabaseError, match="logs in as postgres"):
        async with app.router.lifespan_context(app):
            pytest.fail("it opened its doors")
    async with open_door(addresses.app, APP_ENV="production", **secrets) as client:
        assert (await client.get("/ready")).json()["database"]["ok"] is True


async def set_on_server(addresses: DatabaseAddresses, setting: str, value: str) -> None:
    """Change a setting of the running server, and wait until new connections see it."""
    await execute(addresses.owner, f"ALTER SYSTEM SET {setting} = {value}")
    await execute(addresses.owner, "SELECT pg_reload_conf()")

    async def seen() -> bool:
        return bool((await fetch(addresses.owner, f"SELECT current_setting('{setting}') = '{value}' AS seen"))[0]["seen"])

    await wait_until_async(seen, f"{setting} is {value}")


async def ready_of(addresses: DatabaseAddresses) -> httpx.Response:
    """What /ready says of an application whose start was not asked for its opinion."""
    transport = httpx.ASGITransport(make_app(addresses.app, read_settings({})))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get("/ready")
