"""Removing an endpoint: nothing of it is left to be read, and nothing stays owed to nobody."""

import asyncio
from uuid import UUID

import pytest

from lead_signals import clock
from lead_signals.followups.endpoints import cancel_owed as cancelling
from lead_signals.followups.endpoints import remove_endpoint as removal
from lead_signals.followups.endpoints.cancel_owed import cancel_owed_to_removed
from lead_signals.followups.endpoints.pause_now import pause_now
from lead_signals.followups.endpoints.remove_endpoint import RemovedEndpoint, remove_endpoint
from lead_signals.followups.request_follow_ups import _listening
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session
from tests.followups.endpoints.endpoint_house import EndpointHouse
from tests.waiting import wait_until_async


async def remove(house: EndpointHouse, endpoint_id: UUID) -> RemovedEndpoint:
    return await remove_endpoint(house.engine, house.settings, house.tenant, endpoint_id)


async def test_address_and_secrets_are_erased_and_the_name_stays(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    await house.rotate(endpoint)
    await remove(house, endpoint)
    row = await house.row(endpoint)
    assert (row.name, row.shown_address, row.removed_at is not None) == ("n8n", "", True)
    assert (row.sealed_address, row.sealed_secret, row.sealed_old_secret, row.old_secret_until) == (None, None, None, None)
    again = (await house.add()).endpoint
    assert again.id != endpoint, "the name is free again"


async def test_what_is_owed_there_ends_and_what_is_owed_elsewhere_does_not(house: EndpointHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "PORTION", 3)
    await house.promise(2)
    endpoint, other = (await house.add()).endpoint.id, (await house.add(name="crm")).endpoint.id
    await house.promise(9)
    ids = [row["id"] for row in await house.fetch("SELECT id FROM follow_ups WHERE endpoint_id = $1 ORDER BY id", endpoint)]
    await house.execute(
        f"""
        UPDATE follow_ups SET state = 'delivering', lease_until = now() + interval '1 minute' WHERE id = '{ids[0]}';
        UPDATE follow_ups SET state = 'delivering', lease_until = now() - interval '1 second' WHERE id = '{ids[1]}';
        UPDATE follow_ups SET state = 'retrying', failures = 3 WHERE id = '{ids[2]}';
        UPDATE follow_ups SET state = 'dead', finished_at = now() - interval '1 hour' WHERE id = '{ids[3]}';
        UPDATE follow_ups SET state = 'delivered', finished_at = now() WHERE id = '{ids[4]}';
        """
    )
    gone = await remove(house, endpoint)
    assert (gone.cancelled, gone.in_delivery) == (7, 1)
    assert await house.states(endpoint) == ["delivering", *["cancelled"] * 3, "delivered", *["cancelled"] * 4]
    (running,) = await house.fetch("SELECT cancel_asked, lease_until FROM follow_ups WHERE id = $1", ids[0])
    assert running["cancel_asked"]
    assert running["lease_until"] is not None
    assert (await house.states(other), await house.states()) == (["pending"] * 9, ["pending"] * 2)
    again = await remove(house, endpoint)
    assert (again.cancelled, again.in_delivery) == (0, 0), "who is asked already is not counted again"
    told = await house.cancelled()
    assert {(of, actor, detail["why"]) for of, actor, detail in told} == {(endpoint, "OPERATOR", "removed_endpoint")}
    assert [(detail["count"], detail["in_delivery"]) for _, _, detail in told] == [(2, 1), (3, 0), (2, 0)], "each portion its own"
    assert [event[0] for event in await house.audited()].count("ENDPOINT_REMOVED") == 1


async def test_a_round_ends_what_a_removal_left_behind(house: EndpointHouse) -> None:
    endpoint, other = (await house.add()).endpoint.id, (await house.add(name="crm")).endpoint.id
    await remove(house, endpoint)
    (kept,) = await house.promise(1)
    await house.execute(f"UPDATE follow_ups SET endpoint_id = '{endpoint}' WHERE id = '{kept}'")
    await house.promise(1)
    assert await house.cancelled() == []
    assert await cancel_owed_to_removed(house.engine) == 1
    round_told = [(endpoint, "SYSTEM", {"count": 1, "in_delivery": 0, "why": "removed_endpoint"})]
    assert await house.cancelled() == round_told
    assert (await house.states(endpoint), await house.states(other)) == (["cancelled"], ["pending"])
    assert await cancel_owed_to_removed(house.engine) == 0
    assert await house.cancelled() == round_told
    await house.execute(f"UPDATE follow_ups SET state = 'dead' WHERE id = '{kept}'")
    assert await cancel_owed_to_removed(house.engine) == 1, "what is dead there can be redriven by nobody, and would be told for ever"
    assert await house.states(endpoint) == ["cancelled"]


async def test_a_removal_waits_for_who_promises_at_that_moment_and_ends_that_too(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    async with tenant_session(house.engine, house.tenant) as session:
        await house.promise_within(session, house.tenant, 2)
        removing = asyncio.create_task(remove(house, endpoint))
        await wait_until_async(house.waits_for_a_lock, "the removal waits for the promise")
    assert (await removing).cancelled == 2
    assert await house.states(endpoint) == ["cancelled"] * 2


async def test_who_promises_during_a_removal_waits_and_owes_it_to_who_is_left(
    house: EndpointHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, erased, go_on = (await house.add()).endpoint.id, asyncio.Event(), asyncio.Event()
    count_others = removal._others

    async def hold_still(session: TenantSession, tenant_id: UUID) -> int:
        erased.set()
        await go_on.wait()
        return await count_others(session, tenant_id)

    monkeypatch.setattr(removal, "_others", hold_still)
    removing = asyncio.create_task(remove(house, endpoint))
    await erased.wait()
    promising = asyncio.create_task(house.promise(2))
    try:
        await wait_until_async(house.waits_for_a_lock, "the promise waits for the removal")
    finally:
        go_on.set()
        await asyncio.gather(removing, promising)
    assert (await house.states(endpoint), await house.states()) == ([], ["pending"] * 2)


async def test_promises_do_not_wait_for_each_other_or_for_a_pause(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    async with tenant_session(house.engine, house.tenant) as session:
        assert await _listening(session, house.tenant) == [endpoint]
        await asyncio.wait_for(house.promise(2), 30)
        await asyncio.wait_for(pause_now(house.engine, house.settings, house.tenant, endpoint, now=clock.now()), 30)
    assert await house.states(endpoint) == ["pending"] * 2


async def test_two_at_the_same_moment_remove_it_once(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    await house.promise(5)
    both = await asyncio.gather(remove(house, endpoint), remove(house, endpoint))
    assert sum(each.cancelled for each in both) == 5
    assert [event[0] for event in await house.audited()] == ["ENDPOINT_ADDED", "ENDPOINT_REMOVED"]


async def test_two_of_one_name_at_the_same_moment_are_one(house: EndpointHouse) -> None:
    both = await asyncio.gather(house.add(), house.add(), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["AddedEndpoint", "RefusedRequest"]
