"""Removing an endpoint: nothing of it is left to be read, and nothing stays owed to nobody."""

import asyncio
from uuid import UUID

import pytest

from lead_signals.followups.endpoints import cancel_owed as cancelling
from lead_signals.followups.endpoints.cancel_owed import cancel_owed_to_removed
from lead_signals.followups.endpoints.remove_endpoint import RemovedEndpoint, remove_endpoint
from tests.followups.endpoints.endpoint_house import EndpointHouse


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
    assert [event[0] for event in await house.audited()].count("ENDPOINT_REMOVED") == 1


async def test_a_round_ends_what_a_removal_left_behind(house: EndpointHouse) -> None:
    endpoint, other = (await house.add()).endpoint.id, (await house.add(name="crm")).endpoint.id
    await remove(house, endpoint)
    (kept,) = await house.promise(1)
    await house.execute(f"UPDATE follow_ups SET endpoint_id = '{endpoint}' WHERE id = '{kept}'")
    await house.promise(1)
    assert await cancel_owed_to_removed(house.engine) == 1
    assert (await house.states(endpoint), await house.states(other)) == (["cancelled"], ["pending"])
    assert await cancel_owed_to_removed(house.engine) == 0


async def test_two_at_the_same_moment_remove_it_once(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    await house.promise(5)
    both = await asyncio.gather(remove(house, endpoint), remove(house, endpoint))
    assert sum(each.cancelled for each in both) == 5
    assert [event[0] for event in await house.audited()] == ["ENDPOINT_ADDED", "ENDPOINT_REMOVED"]


async def test_two_of_one_name_at_the_same_moment_are_one(house: EndpointHouse) -> None:
    both = await asyncio.gather(house.add(), house.add(), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["AddedEndpoint", "RefusedRequest"]
