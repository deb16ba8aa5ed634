"""A channel's check: what Graph says is written down under the lease, with the moment of the next look."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, text, update
from structlog.testing import capture_logs

from lead_signals.connections.channel_check import channel_checks
from lead_signals.connections.channel_check_work import channel_check_work
from lead_signals.connections.channel_health import channel_health
from lead_signals.connections.channel_list import ConnectedChannel
from lead_signals.connections.check_channel import CRASH_LIMIT, check_channel
from lead_signals.connections.check_now import check_now
from lead_signals.connections.sealed_token import TokenPlace, TokenSeal
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.lease import Claim, claim_due
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings, read_settings
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.connections.connected_pages import EVERY_FIELD, NOW, OLDER_KEY, SEALING_KEY, Shop
from tests.graph_api.graph_answers import dead_token, graph_error, ill, missing_permission, says, throttled
from tests.graph_api.graph_stand_in import APP_ID, PAGE_ID, PAGE_TOKEN, GraphStandIn
from tests.intake.open_door import fetch_now
from tests.receiver import Exchange

LATER = NOW + timedelta(hours=6)


@pytest.fixture
async def channel_id(shop: Shop) -> UUID:
    """A Page that was well when it was connected, and whose check is due."""
    channel = (await shop.connected()).channel
    await make_due(shop)
    return channel.id


async def make_due(shop: Shop, whose: UUID | None = None) -> None:
    async with tenant_session(shop.engine, whose or shop.tenant) as session:
        await session.execute(update(channel_checks).values(due_at=text("now() - interval '1 second'")))


async def claimed(shop: Shop, lease_seconds: float = 30) -> Claim:
    async with across_tenants_session(shop.engine) as everywhere:
        (claim,) = await claim_due(everywhere, channel_checks, working_state="checking", limit=5, lease_seconds=lease_seconds)
    return claim


async def carried_out(shop: Shop, claim: Claim, settings: Settings | None = None) -> bool:
    return await check_channel(shop.engine, shop.graph, settings or shop.settings, claim, now=lambda: LATER)


async def checked(shop: Shop, whose: UUID | None = None, settings: Settings | None = None) -> Row[Any]:
    """One turn of the worker: the channel afterwards."""
    assert await carried_out(shop, await claimed(shop), settings)
    return await shop.row(whose)


async def next_turn(shop: Shop) -> timedelta:
    """How far away the next check is, by the database's clock."""
    async with tenant_session(shop.engine, shop.tenant) as session:
        away: timedelta = (await session.execute(text("SELECT due_at - now() FROM channel_checks"))).scalar_one()
    return away


async def asked_now(shop: Shop, channel_id: UUID, whose: UUID | None = None) -> ConnectedChannel:
    return await check_now(shop.engine, shop.graph, shop.settings, whose or shop.tenant, channel_id, now=lambda: LATER)


@pytest.mark.usefixtures("channel_id")
async def test_all_is_well_and_the_next_look_is_in_six_hours(shop: Shop) -> None:
    row = await checked(shop)
    check = await shop.check()
    assert (row.token_state, row.check_sentence, row.checked_at) == ("ok", None, LATER)
    assert row.token_expires_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert (check.state, check.attempts, check.lease_until) == ("waiting", 0, None)
    assert timedelta(hours=5, minutes=20) < await next_turn(shop) < timedelta(hours=6, minutes=40)
    assert len([request for request in shop.stand_in.requests if request.method == "POST"]) == 1, "subscribed once, when it was connected"


@pytest.mark.usefixtures("channel_id")
async def test_a_lost_subscription_comes_back(shop: Shop) -> None:
    for lost in ({}, {APP_ID: ["feed", "messages"]}):
        shop.stand_in.subscriptions[PAGE_ID] = dict(lost)
        row = await checked(shop)
        assert sorted(shop.stand_in.subscriptions[PAGE_ID][APP_ID]) == sorted(EVERY_FIELD)
        assert sorted(row.subscribed_fields) == sorted(EVERY_FIELD)
        await make_due(shop)


@pytest.mark.usefixtures("channel_id")
@pytest.mark.parametrize(
    ("ends_in", "warned"), [(timedelta(days=6, hours=23), True), (timedelta(days=7, hours=1), False), (timedelta(hours=-1), True)]
)
async def test_an_end_within_seven_days_is_told_in_time(ends_in: timedelta, warned: bool, shop: Shop) -> None:
    end = LATER + ends_in
    shop.stand_in.checks[PAGE_TOKEN] = {"expires_at": int(end.timestamp()), "data_access_expires_at": 0}
    row = await checked(shop)
    assert (row.token_state, row.token_expires_at) == ("ok", end)
    assert (row.check_sentence is not None) == warned
    if warned:
        assert f"until {end:%Y-%m-%d %H:%M} UTC" in row.check_sentence


@pytest.mark.usefixtures("channel_id")
@pytest.mark.parametrize(
    ("call", "answer", "state", "told"),
    [
        ("page", dead_token(460), "reconnect", "password"),
        ("subscribed_apps", missing_permission(200), "permission", "grant all permissions"),
        ("page", graph_error(368), "blocked", "Support Inbox"),
    ],
)
async def test_what_a_person_must_mend_is_recorded(call: str, answer: Any, state: str, told: str, shop: Shop) -> None:
    shop.stand_in.answers[call] = answer
    row = await checked(shop)
    check = await shop.check()
    assert (row.token_state, row.checked_at) == (state, LATER)
    assert told in row.check_sentence
    assert row.sealed_token is not None
    assert (check.state, check.attempts) == ("waiting", 0)
    assert await next_turn(shop) > timedelta(hours=5)
    del shop.stand_in.answers[call]
    await make_due(shop)
    row = await checked(shop)
    assert (row.token_state, row.check_sentence) == ("ok", None)


@pytest.mark.usefixtures("channel_id")
async def test_a_graph_that_is_ill_is_asked_again_soon_and_ever_later(shop: Shop) -> None:
    shop.stand_in.answers["*"] = ill(500)
    turns = []
    for _ in range(9):
        row = await checked(shop)
        turns.append(await next_turn(shop))
        await make_due(shop)
    assert (row.token_state, row.checked_at) == ("ok", NOW), "nothing is known that was not known before"
    assert "nothing is to be done" in row.check_sentence
    assert (await shop.check()).attempts == 9
    assert timedelta(seconds=25) < turns[0] <= timedelta(minutes=1)
    assert timedelta(minutes=1) < turns[2] <= timedelta(minutes=4)
    assert timedelta(minutes=29) < turns[8] <= timedelta(hours=1)
    shop.stand_in.answers.clear()
    row = await checked(shop)
    check = await shop.check()
    assert (row.token_state, row.check_sentence, check.attempts) == ("ok", None, 0)


@pytest.mark.usefixtures("channel_id")
async def test_a_throttling_graph_is_left_alone_as_long_as_it_asks(shop: Shop) -> None:
    shop.stand_in.answers["page"] = throttled(32, regain_minutes=45)
    await checked(shop)
    assert timedelta(minutes=44) < await next_turn(shop) <= timedelta(hours=1)
    asked = len(shop.stand_in.requests)
    await make_due(shop)
    await checked(shop)
    assert len(shop.stand_in.requests) == asked, "Graph was asked although it wanted to be left alone"
    assert (await shop.check()).attempts == 1, "not asking is no failure"
    assert timedelta(minutes=43) < await next_turn(shop) <= timedelta(minutes=45)


@pytest.mark.usefixtures("channel_id")
async def test_a_token_that_no_key_opens_is_told_and_judged_by_nobody_until_the_key_is_back(shop: Shop) -> None:
    asked = len(shop.stand_in.requests)
    for keys, told, error in ((OLDER_KEY, "put the key back", "BrokenSeal"), ("", "CHANNEL_TOKEN_KEY is not set", "NoOpeningKey")):
        changed = shop.with_settings(CHANNEL_TOKEN_KEY=keys)
        with capture_logs() as logs:
            row = await checked(shop, settings=changed)
        assert (row.token_state, row.checked_at) == ("ok", NOW), "our key says nothing about the token"
        assert told in row.check_sentence
        assert "openssl" not in row.check_sentence, "a new key would not open it"
        assert [(line["log_level"], line["error"]) for line in logs if line["event"] == "channel_token_stays_sealed"] == [("error", error)]
        assert timedelta(minutes=59) < await next_turn(shop) <= timedelta(hours=1)
        assert (await shop.check()).attempts == 0, "it is not the channel that fails"
        async with across_tenants_session(shop.engine) as everywhere:
            (trouble,) = (await channel_health(everywhere, now=LATER)).needing_a_hand
        assert trouble.sentence == row.check_sentence
        await make_due(shop)
    assert len(shop.stand_in.requests) == asked
    row = await checked(shop)
    assert (row.token_state, row.check_sentence) == ("ok", None)
    async with across_tenants_session(shop.engine) as everywhere:
        assert (await channel_health(everywhere, now=LATER)).needing_a_hand == ()


@pytest.mark.usefixtures("channel_id")
async def test_after_a_rotation_one_round_of_checks_reseals_every_token(shop: Shop) -> None:
    both = shop.with_settings(CHANNEL_TOKEN_KEY=f"{OLDER_KEY},{SEALING_KEY}")
    row = await checked(shop, settings=both)
    newest = TokenSeal(read_settings({"CHANNEL_TOKEN_KEY": OLDER_KEY}).channel_token_key)
    assert newest.open(row.sealed_token, TokenPlace(shop.tenant, "facebook", row.id)).get_secret_value() == PAGE_TOKEN
    await make_due(shop)
    again = await checked(shop, settings=both)
    assert again.sealed_token == row.sealed_token, "what the newest key sealed is left as it is"


async def test_a_token_copied_from_another_tenants_row_is_of_no_use(channel_id: UUID, shop: Shop) -> None:
    stolen = (await shop.row()).sealed_token
    await shop.disconnect(channel_id)
    thief = await shop.neighbour()
    await shop.connected(thief)
    async with tenant_session(shop.engine, thief) as session:
        await session.execute(text("UPDATE channels SET sealed_token = :stolen"), {"stolen": stolen})
    await make_due(shop, thief)
    asked = len(shop.stand_in.requests)
    row = await checked(shop, thief)
    assert "None of the keys" in row.check_sentence
    assert len(shop.stand_in.requests) == asked


def meanwhile(stand_in: GraphStandIn, do: Callable[[], object]) -> None:
    """Something happens while Graph is asked for the Page."""
    page = stand_in.pages[PAGE_TOKEN]

    def answer(exchange: Exchange) -> None:
        do()
        says(page)(exchange)

    stand_in.answers["page"] = answer


async def test_who_lost_the_lease_writes_nothing(channel_id: UUID, shop: Shop) -> None:
    claim = await claimed(shop, lease_seconds=-1)
    newer = await claimed(shop)
    assert not await carried_out(shop, claim)
    assert (await shop.row()).checked_at == NOW
    assert await carried_out(shop, newer)
    assert (await shop.row()).id == channel_id
    assert (await shop.row()).checked_at == LATER


@pytest.mark.usefixtures("channel_id")
async def test_a_result_that_comes_after_the_lease_was_lost_does_not_count(no_channels: DatabaseAddresses, shop: Shop) -> None:
    steal = "UPDATE channel_checks SET lease_token = lease_token + 1"
    meanwhile(shop.stand_in, lambda: fetch_now(no_channels.owner, steal))
    assert not await carried_out(shop, await claimed(shop))
    assert (await shop.row()).checked_at == NOW
    assert (await shop.check()).state == "checking"


async def test_a_channel_disconnected_meanwhile_stays_without_token(channel_id: UUID, shop: Shop) -> None:
    claim = await claimed(shop)
    await shop.disconnect(channel_id)
    assert not await carried_out(shop, claim)
    row, check = await shop.row(), await shop.check()
    assert (row.sealed_token, row.checked_at, check.state) == (None, None, "ended")


@pytest.mark.usefixtures("channel_id")
async def test_no_transaction_is_open_while_graph_is_asked(no_channels: DatabaseAddresses, shop: Shop) -> None:
    seen: list[int] = []
    others = "application_name = 'tests' AND datname = current_database() AND xact_start IS NOT NULL"
    look = f"SELECT count(*) AS cnt FROM pg_stat_activity WHERE {others}"
    meanwhile(shop.stand_in, lambda: seen.append(fetch_now(no_channels.owner, look)[0]["cnt"]))
    assert await carried_out(shop, await claimed(shop))
    assert seen == [0]


@pytest.mark.usefixtures("channel_id")
async def test_a_check_that_kills_worker_after_worker_waits_for_a_whole_turn(shop: Shop) -> None:
    asked = len(shop.stand_in.requests)
    for _ in range(CRASH_LIMIT + 1):
        claim = await claimed(shop, lease_seconds=-1)
    assert not await carried_out(shop, claim)
    assert len(shop.stand_in.requests) == asked
    assert (await shop.check()).state == "waiting"
    assert await next_turn(shop) > timedelta(hours=5)


async def test_a_person_may_ask_now_but_not_beside_the_worker(channel_id: UUID, shop: Shop) -> None:
    shop.stand_in.subscriptions[PAGE_ID] = {}
    channel = await asked_now(shop, channel_id)
    assert (channel.checked_at, channel.subscribed_fields) == (LATER, EVERY_FIELD)
    await make_due(shop)
    await claimed(shop)
    with pytest.raises(RefusedRequest, match="at this very moment") as refused:
        await asked_now(shop, channel_id)
    assert refused.value.status == 409


async def test_asking_now_needs_the_tenant_and_a_token(channel_id: UUID, shop: Shop) -> None:
    neighbour = await shop.neighbour()
    theirs = (await shop.connected(neighbour, token=None, external_id="700000000000002")).channel
    for whose, which, status in ((neighbour, channel_id, 404), (shop.tenant, theirs.id, 404), (neighbour, theirs.id, 409)):
        with pytest.raises(RefusedRequest) as refused:
            await asked_now(shop, which, whose)
        assert refused.value.status == status


@pytest.mark.parametrize(("keys", "told"), [(OLDER_KEY, "None of the keys in CHANNEL_TOKEN_KEY"), ("", "CHANNEL_TOKEN_KEY is not set")])
async def test_asking_now_without_the_key_is_refused_and_writes_nothing(keys: str, told: str, channel_id: UUID, shop: Shop) -> None:
    before, promised = await shop.row(), await shop.check()
    bare = shop.with_settings(CHANNEL_TOKEN_KEY=keys)
    asked = len(shop.stand_in.requests)
    with pytest.raises(RefusedRequest, match=told) as refused:
        await check_now(shop.engine, shop.graph, bare, shop.tenant, channel_id, now=lambda: LATER)
    assert (refused.value.status, refused.value.reason) == (409, "sealed_by_another_key")
    assert (await shop.row(), await shop.check()) == (before, promised)
    assert len(shop.stand_in.requests) == asked


@pytest.mark.usefixtures("channel_id")
async def test_the_workers_kind_of_work_does_it(shop: Shop) -> None:
    work = channel_check_work(shop.engine, shop.graph, shop.settings)
    async with work.across_tenants() as everywhere:
        (claim,) = await claim_due(everywhere, work.table, working_state=work.working_state, limit=5, lease_seconds=work.lease_seconds)
    await work.do_one(claim)
    assert (await shop.check()).state == "waiting"
    assert (await shop.row()).checked_at > NOW - timedelta(days=1)
