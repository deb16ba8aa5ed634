"""Audit events are written once: nobody changes or removes one, not even the owner of the table."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, audit_events, record
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.new_id import new_id
from lead_signals.database.roles import OWNER_ROLE
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import comment
from tests.intake.open_door import WEBHOOK, fetch, open_door

CHANGES = {
    "update": "UPDATE audit_events SET actor = 'SOMEBODY ELSE'",
    "delete": "DELETE FROM audit_events",
    "truncate": "TRUNCATE audit_events",
}


@pytest.fixture
async def event_id(engine: AsyncEngine, tenant_id: UUID) -> UUID:
    lead_id = new_id()
    async with tenant_session(engine, tenant_id) as session:
        await record(session, tenant_id, [AuditEvent(AuditEventType.LEAD_SIGNAL_CREATED, "lead_signal", lead_id, {"priority": "high"})])
    return lead_id


@pytest.fixture
async def superuser(database: DatabaseAddresses) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn=database.owner)
    yield connection
    await connection.close()


async def test_recorded_events_are_read_back(engine: AsyncEngine, tenant_id: UUID, event_id: UUID) -> None:
    async with tenant_session(engine, tenant_id) as session:
        (event,) = (await session.execute(select(audit_events))).all()
    assert (event.event_type, event.actor, event.entity_type, event.entity_id) == ("LEAD_SIGNAL_CREATED", "SYSTEM", "lead_signal", event_id)
    assert event.detail == {"priority": "high"}
    assert event.created_at.tzinfo is not None


@pytest.mark.parametrize("change", CHANGES)
async def test_the_application_may_not_change_them(change: str, engine: AsyncEngine, tenant_id: UUID, event_id: UUID) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with tenant_session(engine, tenant_id) as session:
            await session.execute(text(CHANGES[change]))


@pytest.mark.parametrize("role", [OWNER_ROLE, "postgres"])
@pytest.mark.parametrize("change", CHANGES)
async def test_neither_the_owner_nor_a_superuser_changes_them_in_passing(
    change: str, role: str, superuser: "asyncpg.Connection[asyncpg.Record]", tenant_id: UUID, event_id: UUID
) -> None:
    trying = superuser.transaction()
    await trying.start()
    await superuser.execute(f"SET LOCAL ROLE {role}")
    await superuser.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id))
    assert await superuser.fetchval("SELECT count(*) FROM audit_events WHERE entity_id = $1", event_id) == 1
    with pytest.raises(asyncpg.RestrictViolationError, match="audit_events is append-only"):
        await superuser.execute(CHANGES[change])
    await trying.rollback()


async def test_a_tenant_with_a_history_cannot_be_deleted(
    superuser: "asyncpg.Connection[asyncpg.Record]", tenant_id: UUID, event_id: UUID
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="fk_audit_events_tenants"):
        await superuser.execute("DELETE FROM tenants WHERE id = $1", tenant_id)


async def test_events_hold_labels_and_never_what_a_person_wrote(database: DatabaseAddresses, tenant_id: UUID) -> None:
    async with open_door(database.app) as client:
        body = comment(
            "ma-binh-luan-91", "Báo giá BÍ-MẬT-NGƯỜI-VIẾT 0912345678", sender_name="TÊN-NGƯỜI-VIẾT", sender_id="ma-nguoi-viet-91"
        )
        assert (await client.post(WEBHOOK, json=body, headers={"X-Tenant-ID": str(tenant_id)})).json()["created"] == 1
    (event,) = await fetch(database.owner, "SELECT to_jsonb(a)::text AS row FROM audit_events a WHERE tenant_id = $1", tenant_id)
    for written in ("BÍ-MẬT", "TÊN-NGƯỜI", "0912345678", "912345678", "ma-nguoi-viet-91"):
        assert written not in event["row"]


async def test_recording_nothing_is_no_statement(engine: AsyncEngine, tenant_id: UUID) -> None:
    async with tenant_session(engine, tenant_id) as session:
        await record(session, tenant_id, [])
        assert (await session.execute(select(audit_events))).all() == []
