"""The role the product works as: it owns nothing, passes no wall, and may do exactly what its code does."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.roles import APP_ROLE, OWNER_ROLE
from tests.intake.open_door import fetch

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
COLUMN_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
# Written out by hand: a migration that grants more has to change this table too, under somebody's eyes.
GRANTED = {
    "alembic_version": {"SELECT"},
    "audit_events": {"SELECT", "INSERT"},
    "brand_profiles": {"SELECT", "INSERT"},
    "channel_checks": {"SELECT", "INSERT", "UPDATE"},
    "channel_hours": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "channels": {"SELECT", "INSERT", "UPDATE"},
    "content_items": {"SELECT", "INSERT"},
    "delivery_attempts": {"SELECT", "INSERT"},
    "follow_up_endpoints": {"SELECT", "INSERT", "UPDATE"},
    "follow_up_receipts": {"SELECT", "INSERT"},
    "follow_ups": {"SELECT", "INSERT", "UPDATE"},
    "lead_signals": {"SELECT", "INSERT", "UPDATE"},
    "look_ups": {"SELECT", "INSERT", "UPDATE"},
    "message_changes": {"SELECT", "INSERT"},
    "opinion_answers": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "opinion_days": {"SELECT", "INSERT", "UPDATE"},
    "opinion_requests": {"SELECT", "INSERT", "UPDATE"},
    "operator_endpoint_pauses": {"SELECT", "INSERT", "DELETE"},
    "quarantined_items": {"SELECT", "INSERT"},
    "receipts": {"SELECT", "INSERT"},
    "rule_pack_turns": {"SELECT", "INSERT"},
    "rule_packs": {"SELECT", "INSERT"},
    "tenant_api_keys": {"SELECT", "INSERT", "UPDATE"},
    "tenants": {"SELECT", "INSERT"},
    "unrouted_deliveries": {"SELECT", "INSERT", "DELETE"},
    "worker_heartbeats": {"SELECT", "INSERT", "UPDATE", "DELETE"},
}
# What it may do to these columns and to no others of their tables: forget words that are old, and mark what became somebody's.
GRANTED_COLUMNS = {
    ("quarantined_items", "UPDATE"): {"item"},
    ("receipts", "UPDATE"): {"body", "body_removed_at"},
    ("unrouted_deliveries", "UPDATE"): {"admitted_at"},
}


async def test_it_is_nobody_special(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        role = (
            await connection.execute(
                text(
                    "SELECT current_user AS name, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
                    " (SELECT count(*) FROM pg_auth_members WHERE member = r.oid) AS memberships"
                    " FROM pg_roles r WHERE rolname = current_user"
                )
            )
        ).one()
    assert tuple(role) == (APP_ROLE, False, False, False, False, False, 0)


async def test_the_owner_is_no_superuser_and_passes_no_wall_either(database: DatabaseAddresses) -> None:
    (role,) = await fetch(
        database.owner, "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = $1", OWNER_ROLE
    )
    assert tuple(role) == (False, False, False, False)
    owners = await fetch(
        database.owner, "SELECT DISTINCT pg_get_userbyid(relowner) AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    )
    assert [row["name"] for row in owners] == [OWNER_ROLE]


async def test_it_owns_nothing(database: DatabaseAddresses) -> None:
    owned = await fetch(
        database.owner,
        "SELECT c.relname AS name FROM pg_class c WHERE pg_get_userbyid(c.relowner) = $1"
        " UNION SELECT proname FROM pg_proc WHERE pg_get_userbyid(proowner) = $1"
        " UNION SELECT nspname FROM pg_namespace WHERE pg_get_userbyid(nspowner) = $1"
        " UNION SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = $1"
        " UNION SELECT typname FROM pg_type WHERE pg_get_userbyid(typowner) = $1",
        APP_ROLE,
    )
    assert [row["name"] for row in owned] == []


async def test_it_has_exactly_the_granted_privileges(database: DatabaseAddresses) -> None:
    rows = await fetch(
        database.owner,
        "SELECT c.relname AS table, p AS privilege FROM pg_class c CROSS JOIN unnest($2::text[]) p"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND has_table_privilege($1, c.oid, p)",
        APP_ROLE,
        list(PRIVILEGES),
    )
    granted: dict[str, set[str]] = {}
    for row in rows:
        granted.setdefault(row["table"], set()).add(row["privilege"])
    assert granted == GRANTED


async def test_it_has_exactly_the_privileges_on_single_columns(database: DatabaseAddresses) -> None:
    rows = await fetch(
        database.owner,
        "SELECT c.relname AS table, p AS privilege, a.attname AS column FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped CROSS JOIN unnest($2::text[]) p"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND has_column_privilege($1, c.oid, a.attnum, p) AND NOT has_table_privilege($1, c.oid, p)",
        APP_ROLE,
        list(COLUMN_PRIVILEGES),
    )
    granted: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        granted.setdefault((row["table"], row["privilege"]), set()).add(row["column"])
    assert granted == GRANTED_COLUMNS


async def test_it_may_not_make_anything_lasting(engine: AsyncEngine, database: DatabaseAddresses) -> None:
    for statement in (
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE VIEW mine AS SELECT * FROM lead_signals",
        "ALTER TABLE lead_signals DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE lead_signals NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant_wall ON lead_signals",
        "DROP TRIGGER audit_events_are_append_only ON audit_events",
        "ALTER ROLE lead_signals_app BYPASSRLS",
        "COPY lead_signals TO PROGRAM 'cat'",
        "UPDATE alembic_version SET version_num = 'x'",
    ):
        async with engine.connect() as connection:
            with pytest.raises(Exception, match=r"permission denied|must be owner|must be superuser|owner of") as refused:
                await connection.execute(text(statement))
            assert isinstance(refused.value.orig.__cause__, asyncpg.InsufficientPrivilegeError), statement  # type: ignore[attr-defined]


async def test_it_may_not_become_the_owner(database: DatabaseAddresses, engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        member = await connection.execute(text("SELECT pg_has_role(current_user, :owner, 'MEMBER')"), {"owner": OWNER_ROLE})
        assert member.scalar_one() is False
