"""Deliveries kept for a Page that was connected later: they become leads once, as if they had come now."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake.admit_kept import admit_all_kept, admit_kept
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.unrouted_delivery import count_kept_for_connected, unknown_channels
from lead_signals.intake.waiting_line import WaitingLine
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.deliveries import POLITE, URGENT
from tests.intake.a_mixed_day import everything, replay_door, send, two_tenants
from tests.intake.books import assert_books_balance
from tests.intake.open_door import execute, fetch, metric
from tests.intake.page_deliveries import delivery, message_to, page_entry
from tests.intake.replays import plan, replayed


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its tests count what is in all of it."""
    return make_database()


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with replay_door(database) as client:
        yield client


@pytest.fixture
def commits(engine: AsyncEngine) -> GroupCommit:
    return GroupCommit(engine, FollowUpPolicy(operator_listens=True, console_base_url=None))


@pytest.fixture
def page() -> str:
    return str(uuid4().int)[:15]


async def connect(engine: AsyncEngine, tenant_id: UUID, page: str) -> None:
    async with tenant_session(engine, tenant_id) as session:
        await connect_channel(session, tenant_id, platform="facebook", external_id=page)


async def keep_some(client: httpx.AsyncClient, page: str, deliveries: int = 3) -> None:
    """The first is an urgent comment, the others are polite; each comes alone."""
    for number in range(deliveries):
        assert (await send(client, delivery(page_entry(page, (f"k{number}", POLITE if number else URGENT)))))["created"] == 0


async def leads(database: DatabaseAddresses, tenant_id: UUID) -> list[Any]:
    statement = "SELECT external_message_id, intent_label, status FROM lead_signals WHERE tenant_id = $1 ORDER BY id"
    return [tuple(row) for row in await fetch(database.owner, statement, tenant_id)]


async def waiting(engine: AsyncEngine, page: str) -> tuple[bool, int]:
    """Whether the Page counts as unknown, and how many kept deliveries wait for a connected one."""
    async with across_tenants_session(engine) as session:
        return page in {channel.external_id for channel in await unknown_channels(session)}, await count_kept_for_connected(session)


async def test_they_become_leads_once_and_their_follow_ups_are_promised(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, commits: GroupCommit, page: str
) -> None:
    day = await two_tenants(engine)
    await keep_some(client, page)
    assert await admit_kept(engine, commits, "facebook", page) == 0, "nobody has connected it"
    assert await waiting(engine, page) == (True, 0)
    await connect(engine, day.here, page)
    assert await waiting(engine, page) == (False, 3)

    assert await admit_kept(engine, commits, "facebook", page) == 3

    assert await leads(database, day.here) == [
        ("k0", "inquiry_price", "new_auto"),
        ("k1", "thanks", "new_auto"),
        ("k2", "thanks", "new_auto"),
    ]
    assert len(await fetch(database.owner, "SELECT id FROM follow_ups WHERE tenant_id = $1", day.here)) == 1
    receipts = await fetch(database.owner, "SELECT signed, tenant_id_source, body_is_excerpt FROM receipts WHERE tenant_id = $1", day.here)
    assert [tuple(row) for row in receipts] == [(True, "channel", False)] * 3
    await assert_books_balance(database.owner, day.here)
    assert await waiting(engine, page) == (False, 0)

    after = await everything(database.owner)
    assert await admit_kept(engine, commits, "facebook", page) == 0
    assert await admit_all_kept(engine, commits) == 0
    assert await everything(database.owner) == after
    assert (await replayed(engine, plan(day.here))).differences == 0


async def test_each_page_goes_to_its_own_tenant_and_the_rest_waits(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, commits: GroupCommit, page: str
) -> None:
    day = await two_tenants(engine)
    other, nobodys = f"8{page}", f"9{page}"
    entries = [page_entry(one, (f"of-{one}", URGENT)) for one in (page, other, nobodys, day.page_here)]
    assert (await send(client, delivery(*entries)))["created"] == 1
    await connect(engine, day.here, page)
    await connect(engine, day.there, other)
    assert await admit_all_kept(engine, commits) == 2
    assert [row[0] for row in await leads(database, day.here)] == [f"of-{day.page_here}", f"of-{page}"]
    assert [row[0] for row in await leads(database, day.there)] == [f"of-{other}"]
    assert await waiting(engine, nobodys) == (True, 0)


async def test_many_are_admitted_oldest_first_and_repetitions_are_one_lead(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, commits: GroupCommit, page: str
) -> None:
    day = await two_tenants(engine)
    for number in range(45):
        said = {"id": page, "messaging": [message_to(page, f"m{number // 3:02}", f"{POLITE} {number}")]}
        await send(client, delivery(said))
    await connect(engine, day.here, page)
    created = await metric(client, "lead_signals_items_total", outcome="created")
    assert await admit_kept(engine, commits, "facebook", page) == 45
    assert [row[0] for row in await leads(database, day.here)] == [f"m{number:02}" for number in range(15)]
    texts = await fetch(database.owner, "SELECT content_text FROM lead_signals WHERE tenant_id = $1 ORDER BY id", day.here)
    assert [row["content_text"] for row in texts] == [f"{POLITE} {3 * number}" for number in range(15)], "what was said first counts"
    assert await metric(client, "lead_signals_items_total", outcome="created") == created + 15


async def test_two_at_once_share_them(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, commits: GroupCommit, page: str
) -> None:
    day = await two_tenants(engine)
    nameless = {"id": page, "message": URGENT, "sender_id": "u1"}  # twice admitted, it would be two leads
    for _ in range(30):
        await send(client, delivery(nameless))
    await connect(engine, day.here, page)
    assert sum(await asyncio.gather(*(admit_kept(engine, commits, "facebook", page) for _ in range(3)))) == 30
    assert len(await leads(database, day.here)) == 30


async def test_a_channel_that_was_disconnected_again_gets_nothing(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, commits: GroupCommit, page: str
) -> None:
    day = await two_tenants(engine)
    await keep_some(client, page)
    await connect(engine, day.here, page)
    await execute(database.owner, f"UPDATE channels SET disconnected_at = now() WHERE external_id = '{page}'")
    before = await everything(database.owner)
    assert await admit_kept(engine, commits, "facebook", page) == 0
    assert await admit_all_kept(engine, commits) == 0
    assert await everything(database.owner) == before
    assert await waiting(engine, page) == (True, 0)


async def test_what_is_refused_stays_and_keeps_nobody_back(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, commits: GroupCommit, page: str
) -> None:
    day = await two_tenants(engine)
    await keep_some(client, page)
    (first,) = await fetch(
        database.owner, "SELECT id FROM unrouted_deliveries WHERE channel_external_id = $1 ORDER BY received_at LIMIT 1", page
    )
    await execute(database.owner, f"UPDATE unrouted_deliveries SET body = 'kaputt' WHERE id = '{first['id']}'")
    await connect(engine, day.here, page)
    assert await admit_kept(engine, commits, "facebook", page) == 2
    assert await waiting(engine, page) == (False, 1)
    await execute(
        database.owner,
        f"UPDATE unrouted_deliveries SET body = convert_to('{orjson.dumps({'object': 'page', 'entry': []}).decode()}', 'UTF8')"
        f" WHERE id = '{first['id']}'",
    )
    assert await admit_kept(engine, commits, "facebook", page) == 1


async def test_a_full_line_ends_it_and_the_next_call_goes_on(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, page: str
) -> None:
    day = await two_tenants(engine)
    await keep_some(client, page, deliveries=6)
    await connect(engine, day.here, page)
    narrow = GroupCommit(engine, FollowUpPolicy(False, None), WaitingLine(most_waiting=2))
    rounds = []
    while sum(rounds) < 6:
        rounds.append(await admit_kept(engine, narrow, "facebook", page))
        assert rounds[-1] > 0
    assert len(rounds) > 1
    assert len(await leads(database, day.here)) == 6


async def test_a_platform_that_nobody_knows_is_left_alone(engine: AsyncEngine, commits: GroupCommit) -> None:
    assert await admit_kept(engine, commits, "friendster", "1") == 0
