"""A message and its change in two transactions at the same moment: whoever is first, neither misses the other."""

import asyncio
import random
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.leads.apply_changes import ChangeOutcome
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.leads.lives import FIRST_EDIT, SECOND_EDIT, Happening, edited, happen, happen_in, hidden, history, owed, removed, said, the_lead
from tests.leads.lock_waits import wait_until_somebody_waits_for


async def test_a_change_that_comes_while_its_lead_is_opened(engine: AsyncEngine, tenant_id: UUID, database: DatabaseAddresses) -> None:
    async with tenant_session(engine, tenant_id) as opening:
        await happen_in(opening, tenant_id, [said("a", FIRST_EDIT)])
        changing = asyncio.create_task(happen(engine, tenant_id, removed("a")))
        await wait_until_somebody_waits_for(opening, database.owner)
    assert await changing == [ChangeOutcome.UPDATED]
    lead = await the_lead(engine, tenant_id, "a")
    assert lead.status == "withdrawn"
    assert [follow_up.state for follow_up in await owed(engine, lead)] == ["cancelled"]


async def test_a_lead_that_is_opened_while_its_change_is_recorded(
    engine: AsyncEngine, tenant_id: UUID, database: DatabaseAddresses
) -> None:
    async with tenant_session(engine, tenant_id) as changing:
        assert await happen_in(changing, tenant_id, [removed("a")]) == [ChangeOutcome.WAITING]
        opening = asyncio.create_task(happen(engine, tenant_id, said("a", FIRST_EDIT)))
        await wait_until_somebody_waits_for(changing, database.owner)
    await opening
    lead = await the_lead(engine, tenant_id, "a")
    assert lead.status == "withdrawn"
    assert await owed(engine, lead) == []


async def test_two_edits_of_one_message_are_both_kept(engine: AsyncEngine, tenant_id: UUID, database: DatabaseAddresses) -> None:
    await happen(engine, tenant_id, said("a"))
    async with tenant_session(engine, tenant_id) as second:
        await happen_in(second, tenant_id, [edited("a", SECOND_EDIT, minutes=9)])
        first = asyncio.create_task(happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5)))
        await wait_until_somebody_waits_for(second, database.owner)
    assert await first == [ChangeOutcome.UPDATED]
    lead = await the_lead(engine, tenant_id, "a")
    assert (lead.content_text, lead.meta["edited"]["count"]) == (SECOND_EDIT, 2)
    assert [version.kind for version in await history(engine, tenant_id, "a")] == ["original", "edited", "edited"]


async def test_a_decision_made_while_the_removal_comes_stays(engine: AsyncEngine, tenant_id: UUID, database: DatabaseAddresses) -> None:
    await happen(engine, tenant_id, said("a"))
    async with tenant_session(engine, tenant_id) as deciding:
        await deciding.execute(update(lead_signals).values(status="contacted", assignee="Trúc"))
        removing = asyncio.create_task(happen(engine, tenant_id, removed("a"), hidden("a", minutes=1)))
        await wait_until_somebody_waits_for(deciding, database.owner)
    assert await removing == [ChangeOutcome.UPDATED] * 2
    lead = await the_lead(engine, tenant_id, "a")
    assert (lead.status, lead.assignee) == ("contacted", "Trúc")
    assert {"removed_at", "hidden"} <= lead.meta.keys()


async def test_those_who_only_add_do_not_wait_for_each_other(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("first under this post"))  # a new post has one row, which two may want to insert
    async with tenant_session(engine, tenant_id) as opening:
        await happen_in(opening, tenant_id, [said("a")])
        await asyncio.wait_for(happen(engine, tenant_id, said("b")), 10)


async def test_a_change_makes_no_other_tenant_wait(engine: AsyncEngine, tenant_id: UUID) -> None:
    other = (await onboard_tenant(engine, Onboarding(tenant_name="Hàng xóm"))).tenant.id
    async with tenant_session(engine, tenant_id) as changing:
        await happen_in(changing, tenant_id, [removed("a")])
        await asyncio.wait_for(happen(engine, other, said("a"), removed("b")), 20)


async def test_a_crowd_of_deliveries_loses_nothing(engine: AsyncEngine, tenant_id: UUID) -> None:
    """Each step in the lives of forty messages is a delivery of its own, all of them at once on as many connections as there are."""
    ids = [f"m{number}" for number in range(40)]
    steps = [
        step
        for message_id in ids
        for step in (said(message_id), edited(message_id, FIRST_EDIT, minutes=5), removed(message_id), removed(message_id))
    ]
    random.Random(11).shuffle(steps)
    at_once = asyncio.Semaphore(5)  # the pool's size: beyond it requests are refused, not queued

    async def deliver(step: Happening) -> None:
        async with at_once:
            await happen(engine, tenant_id, step)

    await asyncio.gather(*(deliver(step) for step in steps))
    for message_id in ids:
        lead = await the_lead(engine, tenant_id, message_id)
        assert (lead.status, lead.content_text) == ("withdrawn", FIRST_EDIT)
        assert [change.kind for change in await history(engine, tenant_id, message_id)] == ["original", "edited", "removed"]
        assert [follow_up.state for follow_up in await owed(engine, lead)] in ([], ["cancelled"])
