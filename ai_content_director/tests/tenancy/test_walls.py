"""The wall between tenants: PostgreSQL shows a session one tenant's rows, whatever the statement asks for."""

import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.leads import lead_list
from lead_signals.tenancy.api_key import make_api_key, tenant_of_api_key
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.deliveries import comment
from tests.intake.open_door import WEBHOOK, fetch, open_door
from tests.tenancy.full_tenant import full_tenant, walled_tables

# Tables of the installation, not of a tenant. unrouted_deliveries belongs to nobody yet and has walls of its own.
NOBODYS = {"worker_heartbeats", "alembic_version", "unrouted_deliveries", "operator_endpoint_pauses"}
UPDATABLE = {
    *("channel_checks", "channel_hours", "channels", "follow_up_endpoints", "follow_ups", "lead_signals", "look_ups", "tenant_api_keys"),
    *("opinion_answers", "opinion_days", "opinion_requests"),
}
UPDATABLE_COLUMN = {"receipts": "body", "quarantined_items": "item"}  # of these tables nothing else may be touched
DELETABLE = {"channel_hours", "opinion_answers"}
OWED_WORK = {"channel_checks", "follow_ups", "look_ups", "opinion_requests"}  # a worker claims what is due of any tenant
OPEN_ACROSS_TENANTS = {
    *("tenants", "channels", "rule_pack_turns", "follow_up_endpoints", "follow_up_receipts", "delivery_attempts"),
    *OWED_WORK,
}
RECORDED_ACROSS_TENANTS = {"delivery_attempts"}  # a worker writes down together what it tried for many tenants


@pytest.fixture
async def neighbours(engine: AsyncEngine, database: DatabaseAddresses) -> tuple[UUID, UUID]:
    """Two tenants with rows in every table."""
    here, there = [await full_tenant(engine, database.app, name) for name in ("Mộc An Nhiên", "Thép Bắc Hà")]
    return here, there


async def test_every_table_of_tenants_is_walled(database: DatabaseAddresses) -> None:
    catalogue = await fetch(
        database.owner,
        "SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,"
        " (SELECT json_agg(json_build_object('cmd', p.polcmd::text, 'permissive', p.polpermissive,"
        "   'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)))"
        "  FROM pg_policy p WHERE p.polrelid = c.oid)::text AS policies"
        " FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')",
    )
    walled = await walled_tables(database.owner)
    assert {table["name"] for table in catalogue} == walled.keys() | NOBODYS
    assert len(walled) >= 15
    for table in catalogue:
        policies = json.loads(table["policies"] or "[]")
        if table["name"] in walled:
            column = walled[table["name"]]
            wall = f"({column} = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
            assert (table["enabled"], table["forced"]) == (True, True), table["name"]
            assert [p for p in policies if p["cmd"] == "*"] == [{"cmd": "*", "permissive": True, "using": wall, "check": wall}], table[
                "name"
            ]
        for policy in policies:
            door = "across_tenants" in (policy["using"] or "")
            assert not door or table["name"] in OPEN_ACROSS_TENANTS | {"unrouted_deliveries"}, table["name"]
    (unrouted,) = [table for table in catalogue if table["name"] == "unrouted_deliveries"]
    assert (unrouted["enabled"], unrouted["forced"]) == (True, True)
    assert {policy["cmd"] for policy in json.loads(unrouted["policies"])} == {"a", "r", "w", "d"}


async def test_tenant_id_comes_first_in_every_key(database: DatabaseAddresses) -> None:
    keys = await fetch(
        database.owner,
        "SELECT c.relname AS table, i.indexrelid::regclass::text AS index, a.attname AS first, i.indisprimary AS primary"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
        " WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique",
    )
    walled = await walled_tables(database.owner)
    first = {(key["table"], key["index"]): key["first"] for key in keys if key["table"] in walled}
    assert {table for table, _ in first} == walled.keys(), "a table without a key"
    assert {index: column for (table, index), column in first.items() if column != walled[table]} == {}
    assert {key["table"] for key in keys if key["primary"]} >= walled.keys()


async def test_no_view_or_function_leads_around_the_wall(database: DatabaseAddresses) -> None:
    views = await fetch(
        database.owner,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')"
        " AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)",
    )
    functions = await fetch(database.owner, "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef")
    assert ([row["relname"] for row in views], [row["proname"] for row in functions]) == ([], [])


async def test_without_a_tenant_there_are_no_rows_and_no_inserts(
    engine: AsyncEngine, database: DatabaseAddresses, neighbours: tuple[UUID, UUID]
) -> None:
    for table, column in (await walled_tables(database.owner)).items():
        for setting in ("", "SELECT set_config('app.tenant_id', '', true)", f"SELECT set_config('app.tenant_id', '{uuid4()}', true)"):
            async with engine.begin() as connection:
                if setting:
                    await connection.execute(text(setting))
                assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0, table
                await assert_row_refused(connection, table, await row_of(database, table, column, neighbours[1]))


async def test_a_setting_that_is_no_tenant_is_an_error_and_no_key(engine: AsyncEngine, neighbours: tuple[UUID, UUID]) -> None:
    for value in ("*", "' OR true --", "on", str(neighbours[0]) + "'"):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT set_config('app.tenant_id', :value, true)"), {"value": value})
            with pytest.raises(DBAPIError, match="invalid input syntax for type uuid"):
                await connection.execute(text("SELECT * FROM lead_signals"))


async def test_a_tenant_reads_its_own_rows_and_no_others(
    engine: AsyncEngine, database: DatabaseAddresses, neighbours: tuple[UUID, UUID]
) -> None:
    here, there = neighbours
    for table, column in (await walled_tables(database.owner)).items():
        async with tenant_session(engine, here) as session:
            seen = (await session.execute(text(f"SELECT {column} AS whose FROM {table}"))).scalars().all()
            assert set(seen) == {here}, f"{table}: without a WHERE"
            asked = text(f"SELECT count(*) FROM {table} WHERE {column} = :there OR true")
            assert (await session.execute(asked, {"there": there})).scalar_one() == len(seen), table


async def test_a_tenant_inserts_nothing_for_another(
    engine: AsyncEngine, database: DatabaseAddresses, neighbours: tuple[UUID, UUID]
) -> None:
    here, there = neighbours
    for table, column in (await walled_tables(database.owner)).items():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT set_config('app.tenant_id', :here, true)"), {"here": str(here)})
            await assert_row_refused(connection, table, await row_of(database, table, column, there))


async def test_a_tenant_changes_and_deletes_nothing_of_another(
    engine: AsyncEngine, database: DatabaseAddresses, neighbours: tuple[UUID, UUID]
) -> None:
    here, there = neighbours
    for table, column in (await walled_tables(database.owner)).items():
        before = await fetch(database.owner, f"SELECT * FROM {table} WHERE {column} = $1", there)
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(engine.connect())
            await session.execute(text("SELECT set_config('app.tenant_id', :here, true)"), {"here": str(here)})
            changed = column if table in UPDATABLE else UPDATABLE_COLUMN.get(table)
            if changed is not None:
                assert await touched(session, f"UPDATE {table} SET {changed} = {changed} WHERE {column} <> :here", here) == 0, table
                assert await touched(session, f"UPDATE {table} SET {changed} = {changed}", here) > 0, table
            if table in UPDATABLE:
                nested = await session.begin_nested()
                with pytest.raises(DBAPIError, match="row-level security"):
                    await session.execute(text(f"UPDATE {table} SET {column} = :there"), {"there": there})
                await nested.rollback()
            else:
                await assert_denied(session, f"UPDATE {table} SET {column} = {column}")
            if table in DELETABLE:
                assert await touched(session, f"DELETE FROM {table} WHERE {column} <> :here", here) == 0, table
            else:
                await assert_denied(session, f"DELETE FROM {table}")
            await assert_denied(session, f"TRUNCATE {table}")
        assert await fetch(database.owner, f"SELECT * FROM {table} WHERE {column} = $1", there) == before


async def test_looking_across_tenants_sees_a_few_tables_and_changes_only_owed_work(
    engine: AsyncEngine, database: DatabaseAddresses, neighbours: tuple[UUID, UUID]
) -> None:
    here, there = neighbours
    for table, column in (await walled_tables(database.owner)).items():
        async with across_tenants_session(engine) as session:
            seen = set((await session.execute(text(f"SELECT DISTINCT {column} FROM {table}"))).scalars())
            assert ({here, there} <= seen) if table in OPEN_ACROSS_TENANTS else not seen, table
            changed = column if table in UPDATABLE else UPDATABLE_COLUMN.get(table)
            if changed is not None:
                touches = await touched(session, f"UPDATE {table} SET {changed} = {changed} WHERE {column} = :here", here)
                assert (touches > 0) == (table in OWED_WORK), table
            if table in DELETABLE:
                assert await touched(session, f"DELETE FROM {table}", here) == 0, table
            if table not in RECORDED_ACROSS_TENANTS:
                await assert_row_refused(session, table, await row_of(database, table, column, there))


async def test_unrouted_deliveries_can_be_dropped_in_by_anybody_and_read_or_removed_by_the_operator_only(
    engine: AsyncEngine, neighbours: tuple[UUID, UUID]
) -> None:
    keep = text(
        "INSERT INTO unrouted_deliveries (id, platform, channel_external_id, body) VALUES (gen_random_uuid(), 'facebook', :page, '')"
    )
    page = {"page": uuid4().hex}
    count = text("SELECT count(*) FROM unrouted_deliveries WHERE channel_external_id = :page")
    mark = text("UPDATE unrouted_deliveries SET admitted_at = now() WHERE channel_external_id = :page")
    remove = text("DELETE FROM unrouted_deliveries WHERE channel_external_id = :page")
    async with tenant_session(engine, neighbours[0]) as session:
        await session.execute(keep, page)
        assert (await session.execute(count, page)).scalar_one() == 0
        assert [(await session.execute(change, page)).rowcount for change in (mark, remove)] == [0, 0]
        # Without a WHERE nothing has to be read first, and so the policies of reading guard nothing.
        assert await touched(session, "UPDATE unrouted_deliveries SET admitted_at = now()") == 0
        assert await touched(session, "DELETE FROM unrouted_deliveries") == 0
    async with across_tenants_session(engine) as session:
        assert (await session.execute(count, page)).scalar_one() == 1
        await assert_denied(session, "UPDATE unrouted_deliveries SET body = 'x'")
        await assert_denied(session, "UPDATE unrouted_deliveries SET channel_external_id = 'x'")
        assert [(await session.execute(change, page)).rowcount for change in (mark, remove)] == [1, 1]


async def test_the_product_answers_the_same_without_its_where(
    engine: AsyncEngine, database: DatabaseAddresses, neighbours: tuple[UUID, UUID]
) -> None:
    """The WHERE in our statements is for the planner: taken away, the wall alone must give the same answers."""
    here, there = neighbours
    async with open_door(database.app) as client:

        async def answers() -> list[Any]:
            listed = [(await client.get("/api/leads", params={"tenant_id": str(tenant)})).json() for tenant in neighbours]
            foreign = await lead_of(engine, here, UUID(listed[1]["leads"][0]["id"]))
            return [*listed, foreign, await tenant_of_api_key(engine, [key.encode()])]

        async with tenant_session(engine, here) as session:
            _, key = await make_api_key(session, here, "Cầu nối CRM")
        before = await answers()
        assert ([page["total"] for page in before[:2]], before[2:]) == ([3, 3], [None, here])
        with without_tenant_conditions() as weakened:
            assert await answers() == before
            assert (await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(there)})).json()["created"] == 0
        assert {"lead_signals", "tenants", "content_items", "tenant_api_keys"} <= weakened


@contextmanager
def without_tenant_conditions() -> Iterator[set[str]]:
    """While the block runs every statement forgets which tenant it asked for; yields the tables it was made to forget it for."""
    weakened: set[str] = set()

    def forget(_: object, __: object, statement: str, parameters: Any, *rest: object) -> tuple[str, Any]:
        forgetful, times = re.subn(r"(?:\w+\.tenant_id|tenants\.id) = (\$\d+)(?:::UUID)?", r"(\1::UUID IS NOT NULL)", statement)
        if times:
            weakened.update(re.findall(r"(?:FROM|JOIN) (\w+)", statement))
        return forgetful, parameters

    event.listen(Engine, "before_cursor_execute", forget, retval=True)
    try:
        yield weakened
    finally:
        event.remove(Engine, "before_cursor_execute", forget)


async def lead_of(engine: AsyncEngine, tenant_id: UUID, lead_id: UUID) -> object:
    async with tenant_session(engine, tenant_id) as session:
        return await lead_list.find_lead(session, tenant_id, lead_id)


async def row_of(database: DatabaseAddresses, table: str, column: str, tenant_id: UUID) -> str:
    """A row of that tenant as JSON, under a new id where it has one, so that no key stands in the way of inserting it."""
    (row,) = await fetch(database.owner, f"SELECT to_jsonb(t)::text AS row FROM {table} t WHERE {column} = $1 LIMIT 1", tenant_id)
    values = json.loads(row["row"])
    if "id" in values and column != "id":
        values["id"] = str(uuid4())
    return json.dumps(values)


async def touched(session: AsyncConnection, statement: str, here: UUID | None = None) -> int:
    """How many rows a statement would touch; undone again."""
    nested = await session.begin_nested()
    rows = (await session.execute(text(statement), {"here": here} if ":here" in statement else {})).rowcount
    await nested.rollback()
    return rows


async def assert_row_refused(connection: AsyncConnection, table: str, row: str) -> None:
    nested = await connection.begin_nested()
    with pytest.raises(DBAPIError) as refused:
        await connection.execute(
            text(f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, CAST(:row AS jsonb))).*"), {"row": row}
        )
    await nested.rollback()
    assert isinstance(refused.value.orig.__cause__, asyncpg.InsufficientPrivilegeError), table
    assert "row-level security policy" in str(refused.value), table


async def assert_denied(connection: AsyncConnection, statement: str) -> None:
    nested = await connection.begin_nested()
    with pytest.raises(DBAPIError, match="permission denied"):
        await connection.execute(text(statement))
    await nested.rollback()
