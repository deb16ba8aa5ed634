"""Keeping one promise while connections break: a promise is sent once, written down once, and a lost connection is no crash."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime

import asyncpg
import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.lease import Claim, claim_due
from lead_signals.followups.deliver import deliver
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.n8n_webhook import N8nWebhook
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from lead_signals.worker import http_client
from tests.followups.promised import owe
from tests.product import free_port
from tests.receiver import Receiver


@pytest.fixture
async def alone(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database in which nobody else owes anything."""
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=2)
    yield engine
    await engine.dispose()


class Cut:
    """Ends every connection of the engine under test, as a restart or a failover does."""

    def __init__(self, superuser: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._superuser = superuser

    async def __call__(self) -> None:
        ended = await self._superuser.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tests'"
        )
        assert ended, "there was nothing to cut"


@pytest.fixture
async def cut(fresh_database: DatabaseAddresses) -> AsyncIterator[Cut]:
    connection = await asyncpg.connect(dsn=fresh_database.owner)
    yield Cut(connection)
    await connection.close()


class Recording:
    """A destination that delivers, and does something before it says so."""

    def __init__(self, meanwhile: Callable[[], object] | None = None) -> None:
        self.ids: list[str] = []
        self._meanwhile = meanwhile

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        self.ids.append(webhook_id)
        if self._meanwhile is not None:
            await self._meanwhile()  # type: ignore[misc]
        return Outcome(OutcomeKind.DELIVERED, http_status=200)


async def test_connections_cut_before_the_sending_cost_no_attempt(alone: AsyncEngine, cut: Cut) -> None:
    claim = await claimed(alone)
    await cut()
    receiver = Recording()
    await deliver(alone, receiver, claim, now=clock.now)
    assert len(receiver.ids) == 1
    assert await outcome(alone, claim) == ("delivered", 1, 1)


async def test_connections_cut_during_the_sending_forget_nothing(alone: AsyncEngine, cut: Cut) -> None:
    claim = await claimed(alone)
    receiver = Recording(meanwhile=cut)
    await deliver(alone, receiver, claim, now=clock.now)
    assert len(receiver.ids) == 1
    assert await outcome(alone, claim) == ("delivered", 1, 1)


async def test_what_another_has_claimed_meanwhile_is_not_sent(alone: AsyncEngine) -> None:
    claim = await claimed(alone, lease_seconds=-1)
    await claimed(alone, promise=False)
    receiver = Recording()
    await deliver(alone, receiver, claim, now=clock.now)
    assert receiver.ids == []
    assert await outcome(alone, claim) == ("delivering", 2, 0)


async def test_no_transaction_is_open_while_the_call_runs(alone: AsyncEngine) -> None:
    seen: list[int] = []

    async def look() -> None:
        async with alone.connect() as connection:
            others = "pid <> pg_backend_pid() AND application_name = 'tests' AND datname = current_database() AND xact_start IS NOT NULL"
            seen.append((await connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))).scalar_one())

    await deliver(alone, Recording(meanwhile=look), await claimed(alone), now=clock.now)
    assert seen == [0]


async def test_a_second_writing_of_the_same_attempt_changes_nothing(alone: AsyncEngine) -> None:
    """As when the answer to a commit was lost: the outcome of the same claim is written again over what is there already."""
    claim = await claimed(alone)
    receiver = Recording()
    await deliver(alone, receiver, claim, now=clock.now)
    async with tenant_session(alone, claim.tenant_id) as session:
        before = (await session.execute(select(follow_ups))).one()
    await deliver(alone, receiver, claim, now=clock.now)
    async with tenant_session(alone, claim.tenant_id) as session:
        assert (await session.execute(select(follow_ups))).one() == before
    assert await outcome(alone, claim) == ("delivered", 1, 1)


async def test_where_nobody_listens_the_outcome_says_so() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        n8n = N8nWebhook(client, f"http://127.0.0.1:{free_port()}/", timeout_seconds=3, signer=None)
        assert await n8n.send("msg_1", b"{}", at=clock.now()) == Outcome(OutcomeKind.TRY_AGAIN, error_class="ConnectError")


async def test_without_a_signing_secret_there_is_no_signature() -> None:
    with Receiver() as receiver:
        async with httpx.AsyncClient(trust_env=False) as client:
            n8n = N8nWebhook(client, receiver.url, timeout_seconds=3, signer=None)
            delivered = await n8n.send("msg_1", b'{"tenant_id":"t"}', at=clock.now())
        (arrival,) = receiver.arrivals()
    assert delivered.kind is OutcomeKind.DELIVERED
    assert "webhook-signature" not in arrival.headers
    assert arrival.webhook_id == "msg_1"


async def claimed(engine: AsyncEngine, *, lease_seconds: float = 20, promise: bool = True) -> Claim:
    if promise:
        await owe(engine, 1)
    async with across_tenants_session(engine) as session:
        (claim,) = await claim_due(session, follow_ups, working_state="delivering", limit=1, lease_seconds=lease_seconds)
    return claim


async def outcome(engine: AsyncEngine, claim: Claim) -> tuple[str, int, int]:
    """The follow-up's state, how often it was claimed, and how many attempts were written down."""
    async with tenant_session(engine, claim.tenant_id) as session:
        row = (await session.execute(select(follow_ups.c.state, follow_ups.c.attempts))).one()
        written = (await session.execute(select(func.count()).select_from(delivery_attempts))).scalar_one()
    return row.state, row.attempts, written


async def test_a_cookie_of_one_answer_rides_along_with_no_later_follow_up() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": "tenant=a; Path=/"})

    client = http_client()
    client._transport = httpx.MockTransport(answer)
    async with client:
        for _ in range(2):
            await client.post("http://n8n.example/webhook")
    assert (seen, len(client.cookies)) == ([None, None], 0)
