"""Adding a pack: versions follow each other, the same rules are not stored twice, and nobody sees another tenant's."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.rule_packs.add_pack import AddedPack, add_pack
from lead_signals.rule_packs.hold_packs import hold_packs
from lead_signals.rule_packs.stored_pack import find_pack, list_packs, newest_pack
from lead_signals.tenancy.tenant_session import tenant_session
from tests.intake.gathering import new_tenant
from tests.intake.open_door import fetch
from tests.leads.lock_waits import wait_until_somebody_waits_for
from tests.rule_packs.own_rules import OTHER_PRODUCT, PRODUCT, rules_naming, store
from tests.tenancy.test_walls import without_tenant_conditions

FIRST, SECOND = rules_naming(PRODUCT), rules_naming(OTHER_PRODUCT)


async def add(engine: AsyncEngine, tenant_id: UUID, content: str, note: str = "") -> AddedPack:
    async with tenant_session(engine, tenant_id) as session:
        return await add_pack(session, tenant_id, content, note)


async def test_versions_count_up_and_keep_what_was_written(engine: AsyncEngine, tenant_id: UUID) -> None:
    assert await add(engine, tenant_id, FIRST, "bản đầu") == AddedPack(1, is_new=True)
    assert await add(engine, tenant_id, SECOND) == AddedPack(2, is_new=True)
    async with tenant_session(engine, tenant_id) as session:
        lines = await list_packs(session, tenant_id)
        assert [(line.version, line.size_bytes, line.note) for line in lines] == [
            (2, len(SECOND.encode()), ""),
            (1, len(FIRST.encode()), "bản đầu"),
        ]
        first, newest = await find_pack(session, tenant_id, 1), await newest_pack(session, tenant_id)
        assert first is not None
        assert newest is not None
        assert (first.content, first.note, newest.version, newest.content) == (FIRST, "bản đầu", 2, SECOND)
        assert await find_pack(session, tenant_id, 3) is None


async def test_the_newest_rules_again_add_nothing_and_older_ones_are_a_new_version(engine: AsyncEngine, tenant_id: UUID) -> None:
    await add(engine, tenant_id, FIRST)
    assert await add(engine, tenant_id, FIRST, "lần nữa") == AddedPack(1, is_new=False)
    await add(engine, tenant_id, SECOND)
    assert await add(engine, tenant_id, FIRST) == AddedPack(3, is_new=True)


async def test_two_that_add_at_once_get_different_versions(engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID) -> None:
    async with tenant_session(engine, tenant_id) as holding:
        await hold_packs(holding, tenant_id)
        adding = [asyncio.create_task(add(engine, tenant_id, rules_naming(f"Máy {name}"))) for name in ("một", "hai", "ba")]
        await wait_until_somebody_waits_for(holding, database.owner)
    assert sorted([(await one).version for one in adding]) == [1, 2, 3]


async def test_each_new_version_is_on_record_without_its_words(engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID) -> None:
    for content in (FIRST, FIRST, SECOND):
        await add(engine, tenant_id, content)
    events = await fetch(
        database.owner,
        "SELECT event_type, actor, entity_type, entity_id, detail::text FROM audit_events WHERE tenant_id = $1 ORDER BY id",
        tenant_id,
    )
    assert [tuple(event) for event in events] == [
        ("RULE_PACK_ADDED", "OPERATOR", "rule_pack", tenant_id, f'{{"version": {version}}}') for version in (1, 2)
    ]


async def test_another_tenant_neither_sees_nor_counts_them(engine: AsyncEngine, tenant_id: UUID) -> None:
    other = await new_tenant(engine)
    await store(engine, tenant_id, FIRST)
    await store(engine, tenant_id, SECOND)
    with without_tenant_conditions() as without:
        async with tenant_session(engine, other) as session:
            assert await list_packs(session, other) == []
            assert await newest_pack(session, other) is None
            assert await find_pack(session, other, 1) is None
        assert without, "the statements ran without their conditions"
    assert await add(engine, other, SECOND) == AddedPack(1, is_new=True)


@pytest.mark.parametrize("statement", ["UPDATE rule_packs SET note = 'x'", "DELETE FROM rule_packs", "UPDATE rule_pack_turns SET turn = 9"])
async def test_what_was_stored_is_never_changed(statement: str, engine: AsyncEngine, tenant_id: UUID) -> None:
    await store(engine, tenant_id, FIRST)
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with tenant_session(engine, tenant_id) as session:
            await session.execute(text(statement))
