"""Disconnecting: the Page's deliveries belong to nobody, the token is gone, and the platform sends nothing more."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from lead_signals.connections.channel_hour import channel_hours
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.channel import connect_channel, tenants_of_channels
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.connections.connected_pages import NOW, OLDER_KEY, Shop
from tests.graph_api.graph_answers import dead_token, ill
from tests.graph_api.graph_stand_in import APP_ID, PAGE_ID, GraphStandIn


async def test_routing_token_checks_and_subscription_end(shop: Shop) -> None:
    channel = (await shop.connected()).channel
    gone = await shop.disconnect(channel.id)
    assert (gone.external_id, gone.unsubscribed) == (PAGE_ID, True)
    async with across_tenants_session(shop.engine) as everywhere:
        assert await tenants_of_channels(everywhere, "facebook", [PAGE_ID]) == {}
    row, check = await shop.row(), await shop.check()
    assert (row.sealed_token, row.token_state, row.subscribed_fields, row.checked_at) == (None, "none", [], None)
    assert row.disconnected_at is not None
    assert (check.state, check.lease_until) == ("ended", None)
    assert check.finished_at is not None
    assert [kind for kind, _, _ in await shop.audited()] == ["CHANNEL_CONNECTED", "CHANNEL_DISCONNECTED"]
    assert (await shop.audited())[-1] == (
        "CHANNEL_DISCONNECTED",
        "OPERATOR",
        {"platform": "facebook", "external_id": PAGE_ID, "unsubscribed": True},
    )


async def test_the_platform_is_told(shop: Shop) -> None:
    channel = (await shop.connected()).channel
    assert APP_ID in shop.stand_in.subscriptions[PAGE_ID]
    await shop.disconnect(channel.id)
    assert shop.stand_in.subscriptions[PAGE_ID] == {}


Fault: TypeAlias = Callable[[GraphStandIn], dict[str, str]]


def graph_is_ill(stand_in: GraphStandIn) -> dict[str, str]:
    stand_in.answers["*"] = ill(500)
    return {}


def token_is_dead(stand_in: GraphStandIn) -> dict[str, str]:
    stand_in.answers["*"] = dead_token(460)
    return {}


def key_is_gone(_: GraphStandIn) -> dict[str, str]:
    return {"CHANNEL_TOKEN_KEY": OLDER_KEY}


def no_key(_: GraphStandIn) -> dict[str, str]:
    return {"CHANNEL_TOKEN_KEY": ""}


@pytest.mark.parametrize("fault", [graph_is_ill, token_is_dead, key_is_gone, no_key])
async def test_what_keeps_us_from_telling_the_platform_holds_nothing_up(fault: Fault, shop: Shop) -> None:
    channel = (await shop.connected()).channel
    changed = shop.with_settings(**fault(shop.stand_in))
    gone = await shop.disconnect(channel, settings=changed)
    assert not gone.unsubscribed
    assert "remove our app in the settings of the Page" in gone.sentence
    assert (await shop.row()).sealed_token is None


async def test_an_instagram_account_leaves_its_pages_subscription(shop: Shop) -> None:
    shop.stand_in.subscriptions[PAGE_ID] = {APP_ID: ["feed"]}
    channel = (await shop.connected(platform="instagram", external_id="17841400000000001")).channel
    gone = await shop.disconnect(channel.id)
    assert (gone.unsubscribed, "was left as it is" in gone.sentence) == (False, True)
    assert [request for request in shop.stand_in.requests if request.method == "DELETE"] == []
    assert shop.stand_in.subscriptions[PAGE_ID] == {APP_ID: ["feed"]}


async def test_a_stranger_disconnects_nothing(shop: Shop) -> None:
    channel = (await shop.connected()).channel
    neighbour = await shop.neighbour()
    for whose, which in ((neighbour, channel.id), (shop.tenant, uuid4()), (uuid4(), channel.id)):
        with pytest.raises(RefusedRequest) as refused:
            await shop.disconnect(which, whose)
        assert refused.value.status == 404
    assert (await shop.row()).disconnected_at is None
    await shop.disconnect(channel.id)
    with pytest.raises(RefusedRequest):
        await shop.disconnect(channel.id)


async def test_who_comes_back_begins_a_new_habit_and_another_may_have_the_page_meanwhile(shop: Shop) -> None:
    channel = (await shop.connected()).channel
    async with tenant_session(shop.engine, shop.tenant) as session:
        await session.execute(insert(channel_hours).values(tenant_id=shop.tenant, channel_id=channel.id, hour=NOW, deliveries=3))
    await shop.disconnect(channel.id)
    async with tenant_session(shop.engine, shop.tenant) as session:
        assert (await session.execute(select(channel_hours))).all() == []
    neighbour = await shop.neighbour()
    theirs = (await shop.connected(neighbour, token=None)).channel
    with pytest.raises(RefusedRequest, match="another tenant"):
        await shop.connected()
    await shop.disconnect(theirs, neighbour)
    back = await shop.connected()
    assert (back.is_new, back.channel.id, back.channel.token_state) == (True, channel.id, "ok")
    row, check = await shop.row(), await shop.check()
    assert (row.disconnected_at, check.state, check.finished_at) == (None, "waiting", None)
    assert row.heard_until - row.created_at > timedelta(0), "what was missed meanwhile is no silence"


async def test_the_plain_call_reconnects_too(shop: Shop) -> None:
    channel = (await shop.connected()).channel
    await shop.disconnect(channel.id)
    async with tenant_session(shop.engine, shop.tenant) as session:
        assert await connect_channel(session, shop.tenant, platform="facebook", external_id=PAGE_ID) == channel.id
    async with across_tenants_session(shop.engine) as everywhere:
        assert await tenants_of_channels(everywhere, "facebook", [PAGE_ID]) == {PAGE_ID: shop.tenant}
