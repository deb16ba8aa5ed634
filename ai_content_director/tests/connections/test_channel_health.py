"""What doctor and /metrics are told: channels that fell quiet, and those whose token or subscription needs a person."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from lead_signals.connections.channel_check import channel_checks
from lead_signals.connections.channel_health import FAILED_CHECKS_TOLD, ChannelHealth, channel_health
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.connections.connected_pages import NOW, Shop
from tests.graph_api.graph_stand_in import PAGE_ID, PAGE_NAME


@pytest.fixture
async def page(shop: Shop) -> UUID:
    return (await shop.connected()).channel.id


async def health(shop: Shop) -> ChannelHealth:
    async with across_tenants_session(shop.engine) as everywhere:
        return await channel_health(everywhere, now=NOW)


async def change(shop: Shop, **values: Any) -> None:
    async with tenant_session(shop.engine, shop.tenant) as session:
        await session.execute(update(channels).values(**values))


@pytest.mark.usefixtures("page")
async def test_where_all_is_well_nothing_is_told(shop: Shop) -> None:
    neighbour = await shop.neighbour()
    await shop.connected(neighbour, token=None, external_id="700000000000002")
    assert await health(shop) == ChannelHealth()


async def test_a_quiet_page_is_named_with_its_tenant(shop: Shop, page: UUID) -> None:
    await change(shop, quiet_since=NOW - timedelta(hours=1), last_heard_at=NOW - timedelta(hours=30))
    (quiet,) = (await health(shop)).quiet
    assert (quiet.tenant_id, quiet.tenant_name, quiet.channel_id) == (shop.tenant, "Nội thất Hoa Sen", page)
    assert (quiet.platform, quiet.external_id, quiet.name) == ("facebook", PAGE_ID, PAGE_NAME)
    assert quiet.sentence.startswith("Nothing was heard for 30 hours")
    assert quiet.sentence.endswith("and check its subscription with lead-signals channels check.")
    assert (await health(shop)).needing_a_hand == ()


async def test_who_has_no_token_is_not_sent_to_a_command_that_refuses_them(shop: Shop) -> None:
    await shop.connected(token=None, platform="zalo", external_id="700000000000002")
    await change(shop, quiet_since=NOW - timedelta(hours=1), last_heard_at=NOW - timedelta(hours=30))
    (quiet,) = (await health(shop)).quiet
    assert quiet.sentence.endswith("and at the webhook settings on the platform's own page.")
    assert "channels check" not in quiet.sentence


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("state", ["reconnect", "permission", "blocked"])
async def test_a_bad_token_is_told_in_the_checks_own_words(state: str, shop: Shop) -> None:
    await change(shop, token_state=state, check_sentence="The password was changed.")
    (needing,) = (await health(shop)).needing_a_hand
    assert (needing.external_id, needing.sentence) == (PAGE_ID, "The password was changed.")


@pytest.mark.usefixtures("page")
async def test_a_token_is_told_a_week_before_its_end_even_when_no_check_said_so(shop: Shop) -> None:
    await change(shop, token_expires_at=NOW + timedelta(days=8))
    assert (await health(shop)).needing_a_hand == ()
    await change(shop, token_expires_at=NOW + timedelta(days=6))
    (needing,) = (await health(shop)).needing_a_hand
    assert "works until 2026-11-29 02:00 UTC only" in needing.sentence


@pytest.mark.usefixtures("page")
async def test_checks_that_find_nobody_again_and_again_are_told(shop: Shop) -> None:
    for attempts, told in ((FAILED_CHECKS_TOLD - 1, 0), (FAILED_CHECKS_TOLD, 1)):
        async with tenant_session(shop.engine, shop.tenant) as session:
            await session.execute(update(channel_checks).values(attempts=attempts))
        assert len((await health(shop)).needing_a_hand) == told


async def test_what_is_disconnected_is_nobodys_trouble(shop: Shop, page: UUID) -> None:
    await change(shop, quiet_since=NOW, token_state="reconnect")
    assert len((await health(shop)).needing_a_hand) == 1
    await shop.disconnect(page)
    assert await health(shop) == ChannelHealth()
