"""Turning to a version and back: one row and one audit event for each turn, and nothing that the code of today cannot use."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.rule_packs.hold_packs import hold_packs
from lead_signals.rule_packs.pack_turn import newest_turns, version_in_force, versions_in_force
from lead_signals.rule_packs.turn_pack import Turned, TurnRefused, turn_back, turn_to
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.intake.gathering import new_tenant
from tests.intake.open_door import fetch
from tests.leads.lock_waits import wait_until_somebody_waits_for
from tests.rule_packs.own_rules import OTHER_PRODUCT, PRODUCT, force_unreadable, put_in_force, rules_naming, store


async def to(engine: AsyncEngine, tenant_id: UUID, version: int | None) -> Turned:
    async with tenant_session(engine, tenant_id) as session:
        return await turn_to(session, tenant_id, version)


async def back(engine: AsyncEngine, tenant_id: UUID) -> Turned:
    async with tenant_session(engine, tenant_id) as session:
        return await turn_back(session, tenant_id)


async def in_force(engine: AsyncEngine, tenant_id: UUID) -> int | None:
    async with tenant_session(engine, tenant_id) as session:
        return await version_in_force(session, tenant_id)


async def turned(database: DatabaseAddresses, tenant_id: UUID) -> list[dict[str, Any]]:
    statement = "SELECT detail::text FROM audit_events WHERE tenant_id = $1 AND event_type = 'RULE_PACK_TURNED' ORDER BY id"
    return [orjson.loads(row["detail"]) for row in await fetch(database.owner, statement, tenant_id)]


@pytest.fixture
async def two_versions(engine: AsyncEngine, tenant_id: UUID) -> UUID:
    """A tenant with versions 1 and 2, and the packaged rules in force."""
    for product in (PRODUCT, OTHER_PRODUCT):
        await store(engine, tenant_id, rules_naming(product))
    return tenant_id


async def test_a_stored_version_judges_nothing_before_it_is_turned_to(engine: AsyncEngine, two_versions: UUID) -> None:
    assert await in_force(engine, two_versions) is None
    assert await to(engine, two_versions, 2) == Turned(2, None)
    assert await in_force(engine, two_versions) == 2


async def test_back_is_what_was_in_force_before_the_last_turn(engine: AsyncEngine, database: DatabaseAddresses, two_versions: UUID) -> None:
    with pytest.raises(TurnRefused, match="nothing to go back to"):
        await back(engine, two_versions)
    await to(engine, two_versions, 1)
    assert await back(engine, two_versions) == Turned(None, 1)
    await to(engine, two_versions, 1)
    await to(engine, two_versions, 2)
    assert await back(engine, two_versions) == Turned(1, 2)
    assert await back(engine, two_versions) == Turned(2, 1), "there and back again"
    assert await to(engine, two_versions, None) == Turned(None, 2)
    assert [(event["version_before"], event["version"], event["turn"]) for event in await turned(database, two_versions)] == [
        (None, 1, 1),
        (1, None, 2),
        (None, 1, 3),
        (1, 2, 4),
        (2, 1, 5),
        (1, 2, 6),
        (2, None, 7),
    ]


async def test_what_is_in_force_already_is_no_turn(engine: AsyncEngine, database: DatabaseAddresses, two_versions: UUID) -> None:
    assert await to(engine, two_versions, None) == Turned(None, None)
    await to(engine, two_versions, 1)
    assert await to(engine, two_versions, 1) == Turned(1, 1)
    assert len(await turned(database, two_versions)) == 1
    assert await back(engine, two_versions) == Turned(None, 1)


async def test_turns_of_two_people_follow_each_other(engine: AsyncEngine, database: DatabaseAddresses, two_versions: UUID) -> None:
    async with tenant_session(engine, two_versions) as holding:
        await hold_packs(holding, two_versions)
        turning = [asyncio.create_task(to(engine, two_versions, version)) for version in (1, 2)]
        await wait_until_somebody_waits_for(holding, database.owner)
    await asyncio.gather(*turning)
    async with tenant_session(engine, two_versions) as session:
        assert [one.turn for one in await newest_turns(session, two_versions, most=9)] == [2, 1]


async def test_a_version_that_is_not_there_or_not_readable_is_refused(
    engine: AsyncEngine, database: DatabaseAddresses, two_versions: UUID
) -> None:
    with pytest.raises(TurnRefused, match="no version 3 of its own rules"):
        await to(engine, two_versions, 3)
    other = await new_tenant(engine)
    with pytest.raises(TurnRefused, match="no version 1 of its own rules"):
        await to(engine, other, 1)
    await to(engine, two_versions, 1)
    await force_unreadable(database.owner, two_versions, turn_number=2)
    assert await to(engine, two_versions, 2) == Turned(2, 99)
    with pytest.raises(TurnRefused, match=r"Version 99 cannot be used by this program any more(.|\n)*v99:.*an_intent_of_tomorrow"):
        await back(engine, two_versions)
    assert await in_force(engine, two_versions) == 2, "refused, and nothing was written"


async def test_who_looks_across_tenants_sees_the_newest_turn_of_each(engine: AsyncEngine, two_versions: UUID) -> None:
    other, third = await new_tenant(engine), await new_tenant(engine)
    await to(engine, two_versions, 2)
    await to(engine, two_versions, 1)
    await put_in_force(engine, other, rules_naming(PRODUCT))
    await put_in_force(engine, third, rules_naming(PRODUCT))
    await back(engine, third)
    async with across_tenants_session(engine) as session:
        seen = await versions_in_force(session)
    assert (seen.get(two_versions), seen.get(other), third in seen) == (1, 1, False)
