"""Connecting a Page: the token is proven before it is kept, and a Graph that is away keeps nobody from connecting."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.app_graph import app_graph, graph_http_client
from lead_signals.connections.sealed_token import TokenPlace, TokenSeal
from lead_signals.connections.watched_fields import WITHOUT_A_TOKEN
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.channel import connect_channel, tenants_of_channels
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.connections.connected_pages import EVERY_FIELD, NOW, Shop
from tests.graph_api.graph_answers import dead_token, graph_error, ill, missing_permission, says, throttled
from tests.graph_api.graph_stand_in import ALL_SCOPES, APP_ID, PAGE_ID, PAGE_NAME, PAGE_TOKEN, GraphStandIn
from tests.receiver import Exchange
from tests.waiting import wait_until_async


async def owner_of(engine: AsyncEngine, page: str = PAGE_ID) -> UUID | None:
    async with across_tenants_session(engine) as everywhere:
        return (await tenants_of_channels(everywhere, "facebook", [page])).get(page)


async def test_a_page_with_its_token_is_proven_named_and_subscribed(shop: Shop) -> None:
    found = await shop.connected()
    assert found.is_new
    assert (found.channel.name, found.channel.token, found.channel.token_state, found.channel.check_sentence) == (
        PAGE_NAME,
        "set",
        "ok",
        None,
    )
    assert shop.stand_in.subscriptions[PAGE_ID] == {APP_ID: EVERY_FIELD}
    assert found.channel.subscribed_fields == EVERY_FIELD
    assert found.channel.checked_at == NOW
    assert await owner_of(shop.engine) == shop.tenant
    row, check = await shop.row(), await shop.check()
    opened = TokenSeal(shop.settings.channel_token_key).open(row.sealed_token, TokenPlace(shop.tenant, "facebook", row.id))
    assert opened.get_secret_value() == PAGE_TOKEN
    assert PAGE_TOKEN.encode() not in row.sealed_token
    assert (check.state, check.channel_id) == ("waiting", row.id)
    assert timedelta(hours=5) < check.due_at - check.created_at < timedelta(hours=7)
    assert await shop.audited() == [("CHANNEL_CONNECTED", "OPERATOR", {"platform": "facebook", "external_id": PAGE_ID, "with_token": True})]


async def test_without_a_token_nobody_is_asked_and_nothing_is_owed(shop: Shop) -> None:
    found = await shop.connected(token=None, name="Hoa Sen")
    assert (found.is_new, found.channel.name, found.channel.token, found.channel.token_state) == (True, "Hoa Sen", None, "none")
    assert found.channel.check_sentence == WITHOUT_A_TOKEN["facebook"]
    assert (await shop.connected(token=None, platform="zalo", external_id="5790000001")).channel.check_sentence is None, "Zalo takes none"
    assert shop.stand_in.requests == ()
    with pytest.raises(Exception, match="No row"):
        await shop.check()


async def test_a_name_that_was_given_beats_the_pages_own(shop: Shop) -> None:
    assert (await shop.connected(name="Trang chính")).channel.name == "Trang chính"


async def test_connecting_again_keeps_the_token_unless_there_is_a_new_one(shop: Shop) -> None:
    first = await shop.connected()
    renamed = await shop.connected(token=None, name="Tên mới")
    assert (renamed.is_new, renamed.channel.id, renamed.channel.name) == (False, first.channel.id, "Tên mới")
    assert (renamed.channel.token, renamed.channel.token_state) == ("set", "ok")
    assert len(await shop.audited()) == 1
    before = await shop.check()
    newer = shop.stand_in.connect_page(token="EAAinventedPageTokenAfterThePasswordChanged")
    again = await shop.connected(token=newer)
    assert (again.is_new, again.channel.id) == (False, first.channel.id)
    row, check = await shop.row(), await shop.check()
    place = TokenPlace(shop.tenant, "facebook", row.id)
    assert TokenSeal(shop.settings.channel_token_key).open(row.sealed_token, place).get_secret_value() == newer
    assert check.lease_token == before.lease_token + 1, "a check of the older token must not count any more"
    assert len(await shop.audited()) == 2


async def test_a_page_of_another_tenant_is_refused_and_nothing_changes(shop: Shop) -> None:
    await shop.connected(token=None)
    neighbour = await shop.neighbour()
    with pytest.raises(RefusedRequest, match="connected to another tenant") as refused:
        await shop.connected(neighbour)
    assert refused.value.status == 409
    assert str(shop.tenant) not in refused.value.sentence
    assert shop.stand_in.requests == (), "a token is not even tried for a Page that cannot be had"
    assert await owner_of(shop.engine) == shop.tenant
    assert await shop.audited(neighbour) == []


async def test_of_two_tenants_at_the_same_moment_one_gets_the_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbour, written, go_on = await shop.neighbour(), asyncio.Event(), asyncio.Event()

    async def written_and_not_committed(*arguments: Any, **more: Any) -> UUID:
        channel_id = await connect_channel(*arguments, **more)
        written.set()
        await go_on.wait()
        return channel_id

    monkeypatch.setattr("lead_signals.connections.connect.connect_channel", written_and_not_committed)
    first = asyncio.create_task(shop.connected(token=None))
    await written.wait()
    second = asyncio.create_task(shop.connected(neighbour, token=None))
    await wait_until_async(lambda: second_is_stopped(shop, second), "the second waits for the first to commit, or has passed it")
    go_on.set()
    assert (await first).is_new
    with pytest.raises(RefusedRequest, match="another tenant"):
        await second
    assert await owner_of(shop.engine) == shop.tenant


async def second_is_stopped(shop: Shop, second: "asyncio.Task[object]") -> bool:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with shop.engine.connect() as connection:
        return second.done() or (await connection.execute(waiting)).scalar_one() > 0


async def test_a_page_taken_while_graph_was_asked_is_refused(shop: Shop) -> None:
    neighbour, page = await shop.neighbour(), shop.stand_in.pages[PAGE_TOKEN]
    asked, go_on = threading.Event(), threading.Event()

    def answer(exchange: Exchange) -> None:
        asked.set()
        assert go_on.wait(30)
        says(page)(exchange)

    shop.stand_in.answers["page"] = answer
    slow = asyncio.create_task(shop.connected())
    assert await asyncio.to_thread(asked.wait, 30)
    await shop.connected(neighbour, token=None)
    go_on.set()
    with pytest.raises(RefusedRequest, match="another tenant"):
        await slow
    assert await owner_of(shop.engine) == neighbour


async def test_an_unknown_tenant_is_404(shop: Shop) -> None:
    with pytest.raises(RefusedRequest, match="no tenant") as refused:
        await shop.connected(uuid4(), token=None)
    assert refused.value.status == 404


async def test_without_a_sealing_key_a_token_is_refused_and_a_page_alone_is_not(shop: Shop) -> None:
    bare = shop.with_settings(CHANNEL_TOKEN_KEY="")
    with pytest.raises(RefusedRequest, match="openssl rand -base64 32") as refused:
        await shop.connected(settings=bare)
    assert refused.value.status == 409
    assert await owner_of(shop.engine) is None
    assert (await shop.connected(settings=bare, token=None)).is_new


def another_page(stand_in: GraphStandIn) -> None:
    stand_in.connect_page(page_id="700000000000002")


def of_a_person(stand_in: GraphStandIn) -> None:
    """`/me` of a person's own token is the person."""
    stand_in.connect_page(page_id="122100000000009", name="Nguyễn Hoa")
    stand_in.checks[PAGE_TOKEN] = {"type": "USER"}


def not_copied_whole(stand_in: GraphStandIn) -> None:
    del stand_in.pages[PAGE_TOKEN]


def gone(stand_in: GraphStandIn) -> None:
    stand_in.answers["page"] = dead_token(None)


def another_app(stand_in: GraphStandIn) -> None:
    stand_in.checks[PAGE_TOKEN] = {"app_id": "619999999999999"}


def invalid(stand_in: GraphStandIn) -> None:
    stand_in.checks[PAGE_TOKEN] = {"is_valid": False, "error": {"code": 190, "subcode": 460, "message": "Changed"}}


def dies_meanwhile(stand_in: GraphStandIn) -> None:
    stand_in.answers["page"] = dead_token(463)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (another_page, f"a person or another Page, not to the Page {PAGE_ID}; take the Page access token"),
        (of_a_person, f"a person or another Page, not to the Page {PAGE_ID}; take the Page access token"),
        (not_copied_whole, "does not work: it was made invalid, or was not copied as a whole. Take a new Page access token"),
        (gone, "does not work: it has ended, or was not copied as a whole. Take a new Page access token"),
        (another_app, "made for the app 619999999999999"),
        (invalid, "password"),
        (dies_meanwhile, "expired"),
    ],
)
async def test_a_useless_token_is_refused_and_nothing_is_stored(fault: Callable[[GraphStandIn], None], told: str, shop: Shop) -> None:
    fault(shop.stand_in)
    with pytest.raises(RefusedRequest, match=told) as refused:
        await shop.connected()
    assert refused.value.status == 422
    assert PAGE_TOKEN not in refused.value.sentence
    assert "connect the Page again" not in refused.value.sentence, "it never was connected"
    assert await owner_of(shop.engine) is None
    assert shop.stand_in.subscriptions == {}


@pytest.mark.parametrize("call", ["debug_token", "page", "subscribed_apps"])
@pytest.mark.parametrize("answer", [ill(503), throttled(32, "retry-after: 30")], ids=["ill", "throttles"])
async def test_a_graph_that_is_away_does_not_prevent_connecting(call: str, answer: Any, shop: Shop) -> None:
    shop.stand_in.answers[call] = answer
    found = await shop.connected()
    assert (found.channel.token, found.channel.token_state, found.channel.checked_at) == ("set", "unchecked", None)
    assert found.channel.check_sentence is not None
    assert "nothing is to be done" in found.channel.check_sentence
    assert await owner_of(shop.engine) == shop.tenant
    check = await shop.check()
    assert check.due_at <= check.created_at, "due at once"


async def test_missing_permissions_are_told_and_what_is_granted_is_subscribed(shop: Shop) -> None:
    shop.stand_in.checks[PAGE_TOKEN] = {"scopes": ["pages_manage_metadata", "pages_read_engagement", "leads_retrieval"]}
    channel = (await shop.connected()).channel
    assert channel.token_state == "permission"
    assert channel.check_sentence is not None
    assert "pages_read_user_content, pages_messaging" in channel.check_sentence
    assert shop.stand_in.subscriptions[PAGE_ID][APP_ID] == ["feed", "mention", "leadgen"]


async def test_without_lead_ads_all_is_well_and_the_loss_is_told(shop: Shop) -> None:
    shop.stand_in.checks[PAGE_TOKEN] = {"scopes": [scope for scope in ALL_SCOPES if scope != "leads_retrieval"]}
    channel = (await shop.connected()).channel
    assert (channel.token_state, channel.check_sentence) == ("ok", "Without leads_retrieval the forms of lead ads are not received.")
    assert "leadgen" not in shop.stand_in.subscriptions[PAGE_ID][APP_ID]


@pytest.mark.parametrize(
    ("answer", "state"), [(missing_permission(200), "permission"), (graph_error(368), "blocked")], ids=["permission", "blocked"]
)
async def test_what_graph_forbids_is_recorded_with_its_sentence(answer: Any, state: str, shop: Shop) -> None:
    shop.stand_in.answers[f"POST /{PAGE_ID}/subscribed_apps"] = answer
    channel = (await shop.connected()).channel
    assert channel.token_state == state
    assert channel.check_sentence
    assert await owner_of(shop.engine) == shop.tenant


async def test_fields_somebody_else_chose_for_our_app_stay(shop: Shop) -> None:
    shop.stand_in.subscriptions[PAGE_ID] = {APP_ID: ["ratings", "feed"], "619999999999999": ["messages"]}
    await shop.connected()
    assert shop.stand_in.subscriptions[PAGE_ID] == {
        APP_ID: ["ratings", "feed", *[field for field in EVERY_FIELD if field != "feed"]],
        "619999999999999": ["messages"],
    }


async def test_without_an_app_id_the_token_is_proven_as_far_as_it_goes(shop: Shop) -> None:
    bare = shop.with_settings(FACEBOOK_APP_ID="")
    async with graph_http_client() as client:
        channel = (await shop.connected(settings=bare, graph=app_graph(bare, client))).channel
    assert (channel.token_state, channel.name, channel.subscribed_fields) == ("ok", PAGE_NAME, EVERY_FIELD)
    assert channel.check_sentence == "Until when the token works is not known: set FACEBOOK_APP_ID and FACEBOOK_APP_SECRET."
    assert shop.stand_in.requests_for("debug_token") == []


async def test_an_instagram_account_takes_its_pages_token_and_leaves_the_pages_subscription_alone(shop: Shop) -> None:
    scopes = ["pages_manage_metadata", "instagram_basic", "instagram_manage_comments", "instagram_manage_messages"]
    shop.stand_in.checks[PAGE_TOKEN] = {"scopes": scopes}
    account = {"platform": "instagram", "external_id": "17841400000000001"}
    channel = (await shop.connected(**account)).channel
    assert (channel.token_state, channel.name, channel.check_sentence) == ("ok", None, None)
    assert shop.stand_in.subscriptions[PAGE_ID][APP_ID] == ["name"], "the app must be on the Page, by any field"
    shop.stand_in.subscriptions[PAGE_ID][APP_ID] = ["feed", "messages"]
    await shop.connected(**account)
    assert shop.stand_in.subscriptions[PAGE_ID][APP_ID] == ["feed", "messages"]
