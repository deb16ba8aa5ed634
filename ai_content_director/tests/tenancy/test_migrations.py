"""Migrations: the database and the code agree, up and down work, and an operator's server needs no more than it must give."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import randrange
from urllib.parse import quote
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import app_engine
from lead_signals.database.migrate import ALEMBIC_INI, MIGRATOR, ONE_MIGRATOR_LOCK, MigrationError, migrate, newest_revision
from lead_signals.database.roles import APP_ROLE, OWNER_ROLE, RoleBootstrapError, _ask_the_administrator, _Login
from lead_signals.health.readiness import Readiness, readiness
from lead_signals.settings import read_settings
from tests.deliveries import ONBOARDING, comment
from tests.intake.open_door import WEBHOOK, execute, fetch_now, open_door
from tests.intake.own_server import NAME, empty_database, own_server
from tests.product import SERVICE, clean_environment
from tests.rows import Rows
from tests.waiting import wait_until

WAITING_MIGRATORS = """
    SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE locktype = 'advisory' AND NOT granted AND d.datname = current_database()"""
WAITING_FOR_A_NEIGHBOUR = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'"
PASSWORD = "mật khẩu ' \" \\ % có dấu"


@pytest.fixture(scope="module")
def server(postgres_binaries: PostgresBinaries | None) -> Iterator[EmbeddedServer]:
    with own_server(postgres_binaries) as server:
        yield server


@pytest.fixture
def addresses(server: EmbeddedServer) -> DatabaseAddresses:
    """An empty database of this test's own."""
    return empty_database(server, f"trong_{uuid4().hex}")


def config_for(addresses: DatabaseAddresses) -> Config:
    config = Config(str(ALEMBIC_INI))
    config.attributes["addresses"] = addresses
    return config


def alembic(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The runbook's own command, in the folder it is run in."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=SERVICE,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def schema_of(addresses: DatabaseAddresses) -> list[str]:
    """Everything that makes the schema, as lines that can be compared: columns, constraints, indexes, policies, triggers, grants."""
    queries = (
        "SELECT concat_ws('|', 'column', table_name, column_name, data_type, is_nullable, column_default) AS line"
        " FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT concat_ws('|', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS line"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT concat_ws('|', 'index', indexdef) AS line FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT concat_ws('|', 'policy', tablename, policyname, cmd, qual, with_check) AS line"
        " FROM pg_policies WHERE schemaname = 'public'",
        "SELECT concat_ws('|', 'trigger', pg_get_triggerdef(oid)) AS line FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT concat_ws('|', 'table', relname, relrowsecurity, relforcerowsecurity, relacl::text, pg_get_userbyid(relowner)) AS line"
        " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
    )
    return sorted(row["line"] for query in queries for row in fetch_now(addresses.owner, query))


def test_models_and_migrations_agree(database: DatabaseAddresses) -> None:
    command.check(config_for(database))  # raises with the difference


def test_the_check_would_see_a_difference(addresses: DatabaseAddresses) -> None:
    migrate(addresses)
    fetch_now(addresses.owner, "ALTER TABLE lead_signals ADD COLUMN forgotten text")
    with pytest.raises(Exception, match="forgotten"):
        command.check(config_for(addresses))


def test_up_down_and_up_again(addresses: DatabaseAddresses) -> None:
    migrate(addresses)
    first = schema_of(addresses)
    assert len(first) > 150
    command.downgrade(config_for(addresses), "-1")
    migrate(addresses)
    assert schema_of(addresses) == first


def test_down_to_nothing_leaves_nothing(addresses: DatabaseAddresses) -> None:
    migrate(addresses)
    command.downgrade(config_for(addresses), "base")
    left = fetch_now(
        addresses.owner,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    )
    assert {row["relname"] for row in left} <= {"alembic_version", "alembic_version_pkc"}
    migrate(addresses)


def test_migrating_again_changes_nothing(addresses: DatabaseAddresses) -> None:
    migrate(addresses)
    first = schema_of(addresses)
    migrate(addresses)
    assert schema_of(addresses) == first


def test_two_migrators_at_once_are_one_after_the_other(addresses: DatabaseAddresses) -> None:
    with Rows(addresses.owner) as rows, ThreadPoolExecutor() as both:
        rows.of("SELECT pg_advisory_lock($1)", ONE_MIGRATOR_LOCK)  # so that they meet, however slowly each starts
        started = [both.submit(alembic, "upgrade", "head", DATABASE_URL=addresses.owner) for _ in range(2)]
        wait_until(lambda: rows.value(WAITING_MIGRATORS) == 2, "both migrators wait for their turn")
        rows.of("SELECT pg_advisory_unlock($1)", ONE_MIGRATOR_LOCK)
        done = [process.result() for process in started]
        said = "Another migration of this database is running; waiting for it, up to 120 s ...\n"
        assert [(process.returncode, process.stderr) for process in done] == [(0, said), (0, said)]
        assert rows.column("SELECT version_num FROM alembic_version") == [newest_revision()]


def test_a_migrator_does_not_wait_for_another_one_for_ever(
    addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lead_signals.database.migrate.TURN_SECONDS", 1)
    with Rows(addresses.owner) as rows:
        rows.of("SELECT pg_advisory_lock($1)", ONE_MIGRATOR_LOCK)
        with pytest.raises(MigrationError, match="still runs after 1 s; nothing was changed"):
            migrate(addresses)
        assert "waiting for it, up to 1 s" in capsys.readouterr().err
        monkeypatch.setenv("DATABASE_URL", addresses.owner)
        with pytest.raises(SystemExit, match=f"Another migration .* shows it as '{MIGRATOR}'"):  # what the plain command leaves with
            command.upgrade(Config(str(ALEMBIC_INI)), "head")
        assert rows.column("SELECT to_regclass('alembic_version')") == [None]


@pytest.mark.parametrize(
    "neighbour",
    [
        f"CREATE ROLE {OWNER_ROLE} NOLOGIN",
        f"CREATE ROLE {OWNER_ROLE} NOLOGIN; CREATE ROLE {APP_ROLE} NOLOGIN; ALTER ROLE {APP_ROLE} LOGIN PASSWORD 'khac'",
    ],
    ids=["one role", "both, with a login"],
)
def test_a_neighbour_in_the_same_cluster_may_make_the_roles_at_the_same_time(
    neighbour: str, postgres_binaries: PostgresBinaries | None
) -> None:
    with own_server(postgres_binaries) as server:
        migrate_beside(neighbour, server, empty_database(server))


def test_a_neighbour_in_the_same_cluster_may_give_the_same_login_at_the_same_time(
    server: EmbeddedServer, addresses: DatabaseAddresses
) -> None:
    migrate(addresses)
    migrate_beside(f"ALTER ROLE {APP_ROLE} LOGIN", server, addresses)


def migrate_beside(neighbour: str, server: EmbeddedServer, addresses: DatabaseAddresses) -> None:
    """Migrate while another transaction of the cluster has done this and not committed yet."""
    with ThreadPoolExecutor() as beside, Rows(server.superuser_url()) as rows, Rows(server.superuser_url()) as watching:
        for statement in ("BEGIN", *neighbour.split("; ")):
            rows.of(statement)
        migrating = beside.submit(migrate, addresses)
        try:
            wait_until(lambda: migrating.done() or watching.value(WAITING_FOR_A_NEIGHBOUR, MIGRATOR), "the migration meets its neighbour")
            assert not migrating.done(), "they did not meet"
        finally:
            rows.of("COMMIT")
        migrating.result()
    asyncio.run(works(addresses.app))


def test_the_runbooks_commands(addresses: DatabaseAddresses) -> None:
    for arguments in (["upgrade", "head"], ["downgrade", "-1"], ["upgrade", "head"], ["check"]):
        done = alembic(*arguments, DATABASE_URL=addresses.owner)
        assert done.returncode == 0, done.stdout + done.stderr
    other_spelling = addresses.owner.replace("postgresql://", "postgresql+asyncpg://")
    assert newest_revision() in alembic("current", DATABASE_URL=other_spelling).stdout


async def works(app_address: str) -> None:
    async with open_door(app_address) as client:
        tenant_id = (await client.post("/onboarding", json=ONBOARDING)).json()["tenant"]["id"]
        assert (await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": tenant_id})).json()["created"] == 1


def test_one_superuser_login_for_both(addresses: DatabaseAddresses) -> None:
    assert alembic("upgrade", "head", DATABASE_URL=addresses.owner).returncode == 0
    asyncio.run(works(addresses.owner))


def test_an_owner_and_an_application_login_with_a_password(postgres_binaries: PostgresBinaries | None) -> None:
    with own_server(postgres_binaries) as server:
        addresses = empty_database(server)
        app = addresses.app.replace(f"{APP_ROLE}@", f"{APP_ROLE}:{quote(PASSWORD)}@")
        # The application has to show its password; everybody else on the socket stays trusted.
        hba = server.data_directory / "postgres" / "pg_hba.conf"
        hba.write_text(f"local all {APP_ROLE} scram-sha-256\nlocal all all trust\n", encoding="utf-8")
        fetch_now(addresses.owner, "SELECT pg_reload_conf()")

        done = alembic("upgrade", "head", DATABASE_URL=app, DATABASE_OWNER_URL=addresses.owner)

        assert done.returncode == 0, done.stderr
        assert "mật" not in done.stdout + done.stderr
        asyncio.run(works(app))
        for wrong in (addresses.app, app.replace(quote(PASSWORD), "sai")):
            asyncio.run(refused(wrong))
        rotated = app.replace(quote(PASSWORD), "mat-khau-moi")
        assert alembic("upgrade", "head", DATABASE_URL=rotated, DATABASE_OWNER_URL=addresses.owner).returncode == 0
        asyncio.run(works(rotated))
        asyncio.run(refused(app))


def test_the_password_opens_the_door_over_tcp_and_stands_in_no_log(postgres_binaries: PostgresBinaries | None) -> None:
    # The server always takes its usual port; on Linux each of the 16 million loopback addresses has that port.
    host = f"127.{randrange(1, 255)}.{randrange(256)}.{randrange(2, 255)}" if sys.platform == "linux" else "127.0.0.1"
    with own_server(postgres_binaries, {"listen_addresses": host, "log_statement": "all"}) as server:
        addresses = empty_database(server)
        hba = server.data_directory / "postgres" / "pg_hba.conf"
        hba.write_text(f"host all {APP_ROLE} 127.0.0.0/8 scram-sha-256\nlocal all all trust\n", encoding="utf-8")
        fetch_now(addresses.owner, "SELECT pg_reload_conf()")
        passwords = ("canary-4711 ' \" \\ %s $1 :x", "canary-4711 ﬁ Ⅳ mật\u00a0khẩu", "canary-4711 🔑")
        for password in passwords:
            app = f"postgresql://{APP_ROLE}:{quote(password, safe='')}@{host}:5432/{NAME}"
            done = alembic("upgrade", "head", DATABASE_URL=app, DATABASE_OWNER_URL=addresses.owner)
            assert (done.returncode, done.stdout + done.stderr) == (0, "")
            asyncio.run(works(app))
            asyncio.run(refused(app.replace("canary", "Canary")))
        log = (server.data_directory / "postgres.log").read_text(encoding="utf-8")
        assert log.count(f"ALTER ROLE {APP_ROLE} LOGIN PASSWORD 'SCRAM-SHA-256$4096:") == len(passwords)
        assert "canary" not in log


def test_a_login_that_is_refused_is_told_without_its_password(server: EmbeddedServer, addresses: DatabaseAddresses) -> None:
    migrate(addresses)
    fetch_now(
        server.superuser_url(), f"ALTER DATABASE {addresses.owner.split('/')[3].split('?')[0]} SET default_transaction_read_only = on"
    )
    app = addresses.app.replace(f"{APP_ROLE}@", f"{APP_ROLE}:canary-4711@")
    done = alembic("upgrade", "head", DATABASE_URL=app, DATABASE_OWNER_URL=addresses.owner)
    assert_one_sentence(done, f"PostgreSQL refuses to give {APP_ROLE} the login that DATABASE_URL has (cannot execute ALTER ROLE in")
    assert not {"canary", "SCRAM"} & set(done.stderr.replace("-", " ").split())


def assert_one_sentence(done: "subprocess.CompletedProcess[str]", begins: str) -> None:
    """The operator is told, in one line and without a traceback, and scripts see that it failed."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith(begins)
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


async def refused(app_address: str) -> None:
    async with open_door(app_address) as client:
        answer = await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(uuid4())})
        assert answer.status_code == 503
        ready = (await client.get("/ready")).json()
        assert "InvalidPasswordError" in ready["database"]["sentence"]


def test_a_login_that_may_not_make_roles_is_told_what_to_ask_for(postgres_binaries: PostgresBinaries | None) -> None:
    with own_server(postgres_binaries) as server:
        fetch_now(server.superuser_url(), "CREATE ROLE kho_hang LOGIN")
        fetch_now(server.superuser_url(), "CREATE DATABASE kho OWNER kho_hang")
        address = server.url("kho_hang", "kho")
        with pytest.raises(RoleBootstrapError) as told:
            migrate(DatabaseAddresses(owner=address, app=address))
        sentence, *statements = str(told.value).splitlines()
        assert sentence == "kho_hang may not make or open the roles it needs. Ask the administrator of the server to run:"

        assert len(statements) == 3
        asyncio.run(execute(server.superuser_url(), "".join(statements[:2])))  # half of it is not enough, and the rest is asked for
        with pytest.raises(RoleBootstrapError) as told:
            migrate(DatabaseAddresses(owner=address, app=address))
        assert str(told.value).splitlines()[1:] == statements[2:]
        asyncio.run(execute(server.superuser_url(), statements[2]))

        migrate(DatabaseAddresses(owner=address, app=address))
        asyncio.run(works(address))
        (role,) = fetch_now(server.superuser_url(), "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'kho_hang'")
        assert tuple(role) == (False, False)


def test_a_login_that_does_not_own_the_database_is_told_what_else_to_ask_for(postgres_binaries: PostgresBinaries | None) -> None:
    with own_server(postgres_binaries) as server:
        fetch_now(server.superuser_url(), 'CREATE ROLE "Kho-Hàng" LOGIN')  # a name that SQL wants quoted
        fetch_now(server.superuser_url(), "CREATE DATABASE kho")
        address, administrator = server.url("Kho-Hàng", "kho"), server.superuser_url("kho")
        for sentence in ("may not make or open the roles it needs", "may not open this database to the roles"):
            with pytest.raises(RoleBootstrapError, match=sentence) as told:
                migrate(DatabaseAddresses(owner=address, app=address))
            asyncio.run(execute(administrator, "".join(str(told.value).splitlines()[1:])))
        migrate(DatabaseAddresses(owner=address, app=address))
        asyncio.run(works(address))


def test_a_login_that_an_administrator_gave_is_left_as_it_is(postgres_binaries: PostgresBinaries | None) -> None:
    with own_server(postgres_binaries) as server:
        for statement in (
            "CREATE ROLE quan_tri LOGIN CREATEROLE",
            f"CREATE ROLE {OWNER_ROLE}",
            f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD 'da-cap'",
            f"GRANT {OWNER_ROLE}, {APP_ROLE} TO quan_tri",
            "CREATE DATABASE kho OWNER quan_tri",
        ):
            fetch_now(server.superuser_url(), statement)
        app = server.url(APP_ROLE, "kho").replace(f"{APP_ROLE}@", f"{APP_ROLE}:da-cap@")
        migrate(DatabaseAddresses(owner=server.url("quan_tri", "kho"), app=app))
        asyncio.run(works(app))


def test_a_login_that_may_make_roles_needs_nobody_else(postgres_binaries: PostgresBinaries | None) -> None:
    with own_server(postgres_binaries) as server:
        fetch_now(server.superuser_url(), "CREATE ROLE quan_tri LOGIN CREATEROLE")
        fetch_now(server.superuser_url(), "CREATE DATABASE kho OWNER quan_tri")
        address = server.url("quan_tri", "kho")
        # Half made by hand: who makes a role may not yet become it (PostgreSQL 16 and newer).
        fetch_now(address, f"CREATE ROLE {OWNER_ROLE} NOLOGIN")
        for _ in range(2):
            migrate(DatabaseAddresses(owner=address, app=address))
        asyncio.run(works(address))
        owners = fetch_now(address, "SELECT DISTINCT tableowner AS name FROM pg_tables WHERE schemaname = 'public'")
        assert [row["name"] for row in owners] == [OWNER_ROLE]


def test_a_second_administrator_who_did_not_make_the_roles_is_told_what_to_ask_for(
    server: EmbeddedServer, addresses: DatabaseAddresses
) -> None:
    migrate(addresses)
    name = f"kho_{uuid4().hex}"
    fetch_now(server.superuser_url(), f"CREATE ROLE {name} LOGIN CREATEROLE")
    fetch_now(server.superuser_url(), f"CREATE DATABASE {name} OWNER {name}")
    address = server.url(name, name)
    try:
        migrate(DatabaseAddresses(owner=address, app=address))
    except RoleBootstrapError as told:  # PostgreSQL 16 and newer; in 15 CREATEROLE opens every role
        asyncio.run(execute(server.superuser_url(), str(told).splitlines()[1]))
        migrate(DatabaseAddresses(owner=address, app=address))
    asyncio.run(works(address))


def test_a_migration_does_not_wait_for_ever_behind_a_long_reader(addresses: DatabaseAddresses) -> None:
    migrate(addresses)

    async def read_while_migrating() -> None:
        reader = await asyncpg.connect(dsn=addresses.owner)
        try:
            await reader.execute("BEGIN")
            tables = await reader.fetch("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in tables:  # a dump reads them all, and so meets whatever the newest migration changes
                await reader.execute(f"SELECT count(*) FROM {table}")
            with pytest.raises(MigrationError, match="lock timeout"):
                await asyncio.to_thread(command.downgrade, config_for(addresses), "-1")
            told = await asyncio.to_thread(alembic, "downgrade", "-1", DATABASE_URL=addresses.owner)
            assert_one_sentence(told, "The migration met a lock timeout: for 5 s somebody held a table or a role that it changes.")
        finally:
            await reader.close()

    asyncio.run(read_while_migrating())
    assert len(schema_of(addresses)) > 150, "a migration that failed left something half done"


def test_what_an_operator_can_mend_is_told_in_one_sentence(server: EmbeddedServer) -> None:
    for address, sentence in (
        (
            "postgresql://nobody@127.0.0.1:1/x",
            "PostgreSQL cannot be used (ConnectionRefusedError): are DATABASE_OWNER_URL and DATABASE_URL",
        ),
        (server.superuser_url("nowhere"), "PostgreSQL cannot be used (InvalidCatalogNameError)"),
        ("mysql://x@127.0.0.1/x", "DATABASE_URL speaks mysql"),
    ):
        assert_one_sentence(alembic("upgrade", "head", DATABASE_URL=address), sentence)
    fetch_now(server.superuser_url(), "CREATE ROLE thu_kho LOGIN")
    fetch_now(server.superuser_url(), "CREATE DATABASE cua_thu_kho OWNER thu_kho")
    told = alembic("upgrade", "head", DATABASE_URL=server.url("thu_kho", "cua_thu_kho"))
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("thu_kho may not make or open the roles it needs. Ask the administrator of the server to run:\n")
    assert "Traceback" not in told.stderr


def test_a_defect_keeps_its_traceback(addresses: DatabaseAddresses) -> None:
    migrate(addresses)
    fetch_now(addresses.owner, "DROP TABLE lead_signals CASCADE")
    told = alembic("downgrade", "base", DATABASE_URL=addresses.owner)
    assert told.returncode == 1
    assert "Traceback" in told.stderr


def test_migrations_are_not_written_out_as_a_script() -> None:
    done = alembic("upgrade", "head", "--sql", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert done.returncode != 0
    assert "run them against a server" in done.stderr


def test_a_database_of_a_newer_version_is_left_alone_and_named(fresh_database: DatabaseAddresses) -> None:
    asyncio.run(execute(fresh_database.owner, "UPDATE alembic_version SET version_num = '2999_01_01_0000'"))
    with pytest.raises(MigrationError, match="newer version of Lead Signals"):
        migrate(fresh_database)

    async def look() -> Readiness:
        engine = app_engine(fresh_database.app, application_name="tests", pool_size=1)
        seen = await readiness(engine, read_settings({}), newest_revision=newest_revision(), thorough=False)
        await engine.dispose()
        return seen

    seen = asyncio.run(look())
    assert (seen.status, "run that version" in seen.migrations.sentence) == ("unready", True)


def test_nobody_is_told_to_give_the_application_the_owners_powers() -> None:
    login = _Login(name=APP_ROLE, superuser=False, makes_roles=False, alters_app=False, usable={APP_ROLE: True, OWNER_ROLE: False})
    told = str(_ask_the_administrator(login, [], [OWNER_ROLE]))
    assert "DATABASE_OWNER_URL" in told
    assert "GRANT" not in told
