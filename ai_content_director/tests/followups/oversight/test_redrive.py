"""Sending again and calling off: what each state allows, the sentence of each refusal, many at once, and two operators at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.lease import claim_due
from lead_signals.database.wake_up import CHANNEL
from lead_signals.followups.endpoints.endpoint import PauseReason
from lead_signals.followups.endpoints.operators_pause import pause_operators_endpoint, resume_operators_endpoint
from lead_signals.followups.follow_up import FollowUpState, follow_ups, webhook_id
from lead_signals.followups.oversight import redrive_many
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.followups.oversight.overseen import attempted, audited, bring_to, change, endpoint_of, open_oversight, owed, row_of
from tests.intake.open_door import assert_refused, execute
from tests.waiting import wait_until_async

MANY = "/api/follow-ups/redrives"
WEBHOOK_URL = "http://127.0.0.1:9/hook"


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: some tests send everybody's again."""
    return make_database()


@pytest.fixture(autouse=True)
async def nothing_owed_before(database: DatabaseAddresses) -> None:
    """What the test before left is not sent again with ours."""
    await execute(database.owner, "DELETE FROM follow_ups")


@pytest.fixture
async def client(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    """The operator of a local installation."""
    async with open_oversight(engine, WEBHOOK_URL=WEBHOOK_URL) as client:
        yield client


async def redrive(client: httpx.AsyncClient, tenant_id: UUID, follow_up_id: UUID) -> httpx.Response:
    return await client.post(f"/api/follow-ups/{follow_up_id}/redrives", params={"tenant_id": str(tenant_id)})


async def cancel(client: httpx.AsyncClient, tenant_id: UUID, follow_up_id: UUID) -> httpx.Response:
    return await client.post(f"/api/follow-ups/{follow_up_id}/cancellations", params={"tenant_id": str(tenant_id)})


async def test_a_dead_one_starts_its_schedule_anew_and_wakes_the_worker(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    await attempted(engine, tenant_id, follow_up_id, 14, datetime.now(UTC))
    await bring_to(engine, tenant_id, follow_up_id, FollowUpState.DEAD, attempts=14, failures=14, due_at=func.now() - timedelta(days=3))
    heard: list[object] = []
    listener = await asyncpg.connect(dsn=database.owner)
    await listener.add_listener(CHANNEL, lambda *notice: heard.append(notice[-1]))
    try:
        answer = await redrive(client, tenant_id, follow_up_id)
        assert answer.status_code == 200, answer.text

        async def announced() -> list[object]:
            return heard

        assert await wait_until_async(announced, "the worker is woken") == ["follow_ups"]
    finally:
        await listener.close()
    told, row = answer.json(), await row_of(engine, tenant_id, follow_up_id)
    assert (told["state"], told["sentence"]) == ("retrying", "A running worker sends it now.")
    assert (row.state, row.failures, row.attempts, row.finished_at) == ("retrying", 0, 14, None)
    assert datetime.fromisoformat(told["due_at"]) == row.due_at
    (event,) = await audited(engine, tenant_id, "FOLLOW_UP_REDRIVEN")
    assert (event.entity_id, event.actor) == (follow_up_id, "OPERATOR")
    assert event.detail == {"state_before": "dead", "failures_before": 14, "lead_id": str(row.lead_id)}
    async with across_tenants_session(engine) as session:
        (claim,) = await claim_due(session, follow_ups, working_state="delivering", limit=10, lease_seconds=20)
    assert (claim.id, claim.attempts) == (follow_up_id, 15)


async def test_one_that_died_of_crashes_is_tried_again_and_does_not_die_of_them_once_more(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    await attempted(engine, tenant_id, follow_up_id, 2, datetime.now(UTC))
    await bring_to(engine, tenant_id, follow_up_id, FollowUpState.DEAD, attempts=8, failures=2)
    assert (await redrive(client, tenant_id, follow_up_id)).status_code == 200
    assert (await row_of(engine, tenant_id, follow_up_id)).attempts == 2, "six claims without an attempt are forgotten"


async def test_one_that_waits_is_due_now_and_keeps_its_failures(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    later = func.now() + timedelta(hours=10)
    await bring_to(engine, tenant_id, follow_up_id, FollowUpState.RETRYING, attempts=9, failures=9, due_at=later)
    first, second = await redrive(client, tenant_id, follow_up_id), await redrive(client, tenant_id, follow_up_id)
    row = await row_of(engine, tenant_id, follow_up_id)
    assert (row.failures, row.attempts, row.due_at <= datetime.now(UTC) + timedelta(minutes=1)) == (9, 9, True)
    assert [answer.status_code for answer in (first, second)] == [200, 200]
    assert second.json()["sentence"] == "It was due already: nothing had to be changed. A running worker sends it now."
    assert second.json()["due_at"] == first.json()["due_at"]
    assert len(await audited(engine, tenant_id, "FOLLOW_UP_REDRIVEN")) == 1


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (FollowUpState.PENDING, "It was never tried and is due already. A running worker sends it now."),
        (FollowUpState.DELIVERING, "It is being delivered at this moment; look at how that ends first."),
        (FollowUpState.DELIVERED, "It is delivered: the receiver answered 2xx. Nothing is sent twice on purpose."),
        (FollowUpState.CANCELLED, "It is cancelled: the message was taken back or somebody called it off. It cannot be sent again."),
    ],
)
async def test_what_is_not_sent_again_says_why(
    state: FollowUpState, sentence: str, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    await bring_to(engine, tenant_id, follow_up_id, state)
    before = await row_of(engine, tenant_id, follow_up_id)
    assert_refused(await redrive(client, tenant_id, follow_up_id), 409, sentence)
    assert await row_of(engine, tenant_id, follow_up_id) == before
    assert await audited(engine, tenant_id, "FOLLOW_UP_REDRIVEN") == []


async def test_a_paused_endpoint_waits_and_a_removed_one_takes_nothing(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (paused, mended, removed) = await owed(engine, database.owner, 3)
    on_hold = await endpoint_of(engine, tenant_id, "Tạm dừng", paused_at=func.now(), pause_reason="by_operator")
    said_gone = await endpoint_of(engine, tenant_id, "Đã 410", paused_at=func.now(), pause_reason="gone")
    await bring_to(engine, tenant_id, mended, FollowUpState.DEAD, endpoint_id=said_gone)
    gone = await endpoint_of(engine, tenant_id, "Đã gỡ", sealed_address=None, removed_at=func.now())
    await bring_to(engine, tenant_id, paused, FollowUpState.DEAD, endpoint_id=on_hold)
    await bring_to(engine, tenant_id, removed, FollowUpState.DEAD, endpoint_id=gone)
    waits = await redrive(client, tenant_id, paused)
    resume = "lead-signals followups endpoints resume"
    assert (waits.status_code, waits.json()["sentence"]) == (
        200,
        f"Its endpoint is paused: resume it ({resume} --tenant {tenant_id} {on_hold}).",
    )
    dry = (await client.post(MANY, json={"tenant_id": str(tenant_id), "dry_run": True})).json()["redriven"]
    assert [some["held_back"].partition("then ")[2] for some in dry] == [f"resume it ({resume} --tenant {tenant_id} {said_gone})."]
    assert "410 Gone" in (await redrive(client, tenant_id, mended)).json()["sentence"]
    assert_refused(await redrive(client, tenant_id, removed), 409, "Its endpoint was removed")
    many = await client.post(MANY, json={"tenant_id": str(tenant_id)})
    assert (many.json()["count"], (await row_of(engine, tenant_id, removed)).state) == (0, "dead")


async def test_nobody_redrives_or_cancels_through_a_wall(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    here, _ = await owed(engine, database.owner)
    there, (theirs,) = await owed(engine, database.owner)
    await bring_to(engine, there, theirs, FollowUpState.DEAD)
    for act in (redrive, cancel):
        assert_refused(await act(client, here, theirs), 404, f"Tenant {here} has no follow-up {theirs}.")
        assert_refused(await act(client, uuid4(), theirs), 404)
    assert (await row_of(engine, there, theirs)).state == "dead"
    assert (await client.post(MANY, json={"tenant_id": str(here)})).json()["count"] == 0
    assert_refused(await client.post(MANY, json={"tenant_id": str(uuid4())}), 404, "There is no tenant")


async def _dead(engine: AsyncEngine, owner: str, count: int, *, died_at: datetime | None = None) -> tuple[UUID, list[UUID]]:
    tenant_id, ids = await owed(engine, owner, count)
    for follow_up_id in ids:
        await bring_to(engine, tenant_id, follow_up_id, FollowUpState.DEAD, failures=14, finished_at=died_at or func.now())
    return tenant_id, ids


async def test_many_of_one_tenant_and_then_of_all(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    here, ours = await _dead(engine, database.owner, 3)
    there, _ = await _dead(engine, database.owner, 2)
    endpoint_id = await endpoint_of(engine, here)
    await change(engine, here, ours[0], endpoint_id=endpoint_id)

    def by(told: httpx.Response) -> set[tuple[str, str, int]]:
        assert told.status_code == 200, told.text
        return {(some["tenant_id"], some["endpoint_id"], some["count"]) for some in told.json()["redriven"]}

    everybodys = {(str(here), str(endpoint_id), 1), (str(here), str(UUID(int=0)), 2), (str(there), str(UUID(int=0)), 2)}
    dry = await client.post(MANY, json={"all": True, "dry_run": True})
    assert (dry.json()["dry_run"], dry.json()["count"], by(dry)) == (True, 5, everybodys)
    assert (await row_of(engine, here, ours[0])).state == "dead"
    one = await client.post(MANY, json={"tenant_id": str(here), "endpoint_id": str(endpoint_id)})
    assert by(one) == {(str(here), str(endpoint_id), 1)}
    assert (await row_of(engine, here, ours[1])).state == "dead"
    limited = await client.post(MANY, json={"all": True, "limit": 3})
    assert (limited.json()["count"], limited.json()["left"]) == (3, 1)
    rest = await client.post(MANY, json={"all": True})
    assert (rest.json()["count"], rest.json()["left"]) == (1, 0)
    assert (await client.post(MANY, json={"all": True})).json()["count"] == 0
    rows = [await row_of(engine, here, follow_up_id) for follow_up_id in ours]
    assert {(row.state, row.failures, row.finished_at) for row in rows} == {("retrying", 0, None)}
    events = await audited(engine, here, "FOLLOW_UP_REDRIVEN")
    assert sum(event.detail["count"] for event in events) == 3
    assert events[0].detail["filter"] == {
        "state": "dead",
        "endpoint_id": str(endpoint_id),
        "lead_id": None,
        "older_than_minutes": None,
        "died_after": None,
        "died_before": None,
    }
    assert [event.detail["count"] for event in await audited(engine, there, "FOLLOW_UP_REDRIVEN")] in ([2], [1, 1])


async def test_those_that_died_in_a_span_of_time(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    tenant_id, (morning, _) = await _dead(engine, database.owner, 2, died_at=noon - timedelta(hours=3))
    await bring_to(engine, tenant_id, morning, FollowUpState.DEAD, finished_at=noon - timedelta(hours=5))
    span = {"died_after": "2026-11-20T13:00:00+07:00", "died_before": "2026-11-20T08:00:00Z"}
    told = await client.post(MANY, json={"tenant_id": str(tenant_id), **span})
    assert told.json()["count"] == 1
    assert (await row_of(engine, tenant_id, morning)).state == "retrying"


async def test_a_pause_of_webhook_url_is_told_and_its_command(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (first, second, untried) = await owed(engine, database.owner, 3)
    for follow_up_id in (first, second):
        await bring_to(engine, tenant_id, follow_up_id, FollowUpState.DEAD)
    resume = "resume it (lead-signals followups endpoints resume WEBHOOK_URL)."
    async with across_tenants_session(engine) as everywhere:
        await pause_operators_endpoint(everywhere, WEBHOOK_URL, PauseReason.BY_OPERATOR)
    try:
        assert (await redrive(client, tenant_id, first)).json()["sentence"].endswith(resume)
        again = (await redrive(client, tenant_id, first)).json()["sentence"]
        assert (again.startswith("It was due already"), again.endswith(resume)) == (True, True)
        assert_refused(await redrive(client, tenant_id, untried), 409, "It was never tried", resume)
        (some,) = (await client.post(MANY, json={"tenant_id": str(tenant_id)})).json()["redriven"]
        assert (some["count"], some["held_back"].endswith(resume)) == (1, True)
    finally:
        async with across_tenants_session(engine) as everywhere:
            await resume_operators_endpoint(everywhere, WEBHOOK_URL)
    async with open_oversight(engine) as without:
        assert "WEBHOOK_URL is not set" in (await redrive(without, tenant_id, second)).json()["sentence"]
    assert (await redrive(client, tenant_id, second)).json()["sentence"].endswith("A running worker sends it now.")


async def test_those_of_one_lead_and_those_promised_long_ago(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (old, new, newest) = await _dead(engine, database.owner, 3)
    await change(engine, tenant_id, old, created_at=func.now() - timedelta(minutes=90))
    of_lead = {"tenant_id": str(tenant_id), "lead_id": str((await row_of(engine, tenant_id, new)).lead_id)}
    assert (await client.post(MANY, json=of_lead | {"older_than_minutes": 5})).json()["count"] == 0
    assert (await client.post(MANY, json=of_lead)).json()["count"] == 1
    assert (await client.post(MANY, json={"all": True, "older_than_minutes": 89})).json()["count"] == 1
    states = [(await row_of(engine, tenant_id, follow_up_id)).state for follow_up_id in (old, new, newest)]
    assert states == ["retrying", "retrying", "dead"]
    first, second = await audited(engine, tenant_id, "FOLLOW_UP_REDRIVEN")
    assert (first.detail["filter"]["lead_id"], second.detail["filter"]["older_than_minutes"]) == (of_lead["lead_id"], 89)


async def test_the_operator_needs_no_tenant_for_one(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, (first,) = await _dead(engine, database.owner, 1)
    one = f"/api/follow-ups/{webhook_id(first)}"
    assert (await client.get(one)).json()["follow_up"]["tenant_id"] == str(tenant_id)
    assert (await client.post(f"{one}/redrives")).json()["tenant_id"] == str(tenant_id)
    assert (await client.post(f"{one}/cancellations")).json()["tenant_id"] == str(tenant_id)
    for method, path in (("GET", ""), ("POST", "/redrives"), ("POST", "/cancellations")):
        assert_refused(await client.request(method, f"/api/follow-ups/{uuid4()}{path}"), 404, "No tenant has a follow-up")
        slip = await client.request(method, one + path, params={"tennant_id": str(tenant_id)})
        assert_refused(slip, 422, "tennant_id: this address knows no such parameter.")
    assert_refused(await client.post(MANY, params={"tenant_id": str(tenant_id)}, json={"all": True}), 422, "It knows none.")


async def test_those_that_wait_are_due_now_once(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, (waiting, due) = await owed(engine, database.owner, 2)
    await bring_to(engine, tenant_id, waiting, FollowUpState.RETRYING, failures=5, due_at=func.now() + timedelta(hours=5))
    await bring_to(engine, tenant_id, due, FollowUpState.RETRYING, failures=5, due_at=func.now() - timedelta(hours=5))
    wish = {"tenant_id": str(tenant_id), "state": "retrying"}
    assert [(await client.post(MANY, json=wish)).json()["count"] for _ in range(2)] == [1, 0]
    row = await row_of(engine, tenant_id, waiting)
    assert (row.state, row.failures, row.due_at <= datetime.now(UTC)) == ("retrying", 5, True)


async def test_portions_are_whole_transactions_and_two_operators_take_each_row_once(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrive_many, "PORTION", 2)
    tenant_id, ids = await _dead(engine, database.owner, 9)
    answers = await asyncio.gather(*(client.post(MANY, json={"tenant_id": str(tenant_id)}) for _ in range(3)))
    assert sum(answer.json()["count"] for answer in answers) == 9
    events = await audited(engine, tenant_id, "FOLLOW_UP_REDRIVEN")
    assert sum(event.detail["count"] for event in events) == 9
    assert max(event.detail["count"] for event in events) == 2
    assert {(await row_of(engine, tenant_id, follow_up_id)).state for follow_up_id in ids} == {"retrying"}


async def test_two_operators_redrive_one_at_once(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, (follow_up_id,) = await _dead(engine, database.owner, 1)
    holder, onlooker = [await asyncpg.connect(dsn=database.owner) for _ in range(2)]

    async def both_wait() -> bool:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await onlooker.fetchval(waiting) == 2)

    try:
        async with holder.transaction():  # both begin while somebody holds the row, so neither is before the other
            await holder.execute("SELECT FROM follow_ups WHERE id = $1 FOR UPDATE", follow_up_id)
            operators = [asyncio.create_task(redrive(client, tenant_id, follow_up_id)) for _ in range(2)]
            await wait_until_async(both_wait, "both operators wait for the row")
        answers = await asyncio.gather(*operators)
    finally:
        await holder.close()
        await onlooker.close()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["due_at"] for answer in answers}) == 1
    assert len(await audited(engine, tenant_id, "FOLLOW_UP_REDRIVEN")) == 1


BAD_WISHES: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "say whose: tenant_id, or"),
    "an endpoint alone": ({"endpoint_id": str(UUID(int=0))}, "say whose"),
    "all false": ({"all": False}, "say whose"),
    "both": ({"all": True, "tenant_id": str(UUID(int=1))}, "exclude each other"),
    "another state": ({"all": True, "state": "<b>"}, "state: Input should be 'dead' or 'retrying'."),
    "a moment without a zone": ({"all": True, "died_after": "2026-11-20T12:00:00"}, "died_after: Input should have timezone info."),
    "a death of the living": ({"all": True, "state": "retrying", "died_after": "2026-11-20T12:00:00Z"}, "of dead follow-ups only"),
    "no rows": ({"all": True, "limit": 0}, "limit: "),
    "too many": ({"all": True, "limit": 100_001}, "limit: "),
    "a state alone": ({"state": "dead"}, "say whose"),
    "a lead alone": ({"lead_id": str(UUID(int=1))}, "say whose"),
    "all in words": ({"all": "yes"}, "all: Input should be a valid boolean."),
    "all as a number": ({"all": 1}, "all: Input should be a valid boolean."),
    "a dry run in words": ({"all": True, "dry_run": "no"}, "dry_run: Input should be a valid boolean."),
    "a limit that is none": ({"all": True, "limit": True}, "limit: Input should be a valid integer."),
    "a limit in words": ({"all": True, "limit": "5"}, "limit: Input should be a valid integer."),
    "minutes in words": ({"all": True, "older_than_minutes": "5"}, "older_than_minutes: Input should be a valid integer."),
    "minutes before": ({"all": True, "older_than_minutes": -1}, "older_than_minutes: "),
    "a moment as a number": ({"all": True, "died_after": 1_700_000_000}, "died_after: expected a moment with its time zone"),
    "a moment as a number in words": ({"all": True, "died_after": "1700000000"}, "died_after: expected a moment with its time zone"),
    "behind the end of time": ({"all": True, "died_before": "9999-12-31T23:59:59-23:59"}, "died_before: expected a moment between"),
    "before its beginning": ({"all": True, "died_after": "0001-01-01T00:00:00+23:59"}, "died_after: expected a moment between"),
    "a typing error": ({"all": True, "dryrun": True}, "dryrun: Extra inputs are not permitted."),
}


@pytest.mark.parametrize("what", BAD_WISHES)
async def test_an_unclear_wish_for_many_moves_nothing(
    what: str, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await _dead(engine, database.owner, 1)
    wish, said = BAD_WISHES[what]
    answer = await client.post(MANY, json=wish)
    assert_refused(answer, 422, said)
    assert "<b>" not in answer.text
    assert (await row_of(engine, tenant_id, follow_up_id)).state == "dead"
    assert_refused(await client.post(MANY, content=b"["), 400, "not JSON")


async def test_the_first_and_the_last_moment_are_moments(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    await _dead(engine, database.owner, 1)
    span = {"died_after": "0001-01-01T00:00:00Z", "died_before": "9999-12-31T23:59:59.999999Z"}
    answer = await client.post(MANY, json={"all": True, "limit": 1, **span})
    assert (answer.status_code, answer.json()["count"]) == (200, 1), answer.text


@pytest.mark.parametrize("state", [FollowUpState.PENDING, FollowUpState.RETRYING, FollowUpState.DEAD])
async def test_what_is_not_over_can_be_called_off(
    state: FollowUpState, client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id, other) = await owed(engine, database.owner, 2)
    await bring_to(engine, tenant_id, follow_up_id, state)
    answer = await cancel(client, tenant_id, follow_up_id)
    assert (answer.status_code, answer.json()["while_delivering"]) == (200, False)
    assert answer.json()["sentence"] == "It is cancelled: nothing more is sent."
    row = await row_of(engine, tenant_id, follow_up_id)
    assert (row.state, row.finished_at is not None, row.cancel_asked) == ("cancelled", True, False)
    assert (await row_of(engine, tenant_id, other)).state == "pending"
    (event,) = await audited(engine, tenant_id, "FOLLOW_UP_CANCELLED")
    assert (event.entity_id, event.actor) == (follow_up_id, "OPERATOR")
    assert event.detail == {"lead_id": str(row.lead_id), "while_delivering": False}
    assert_refused(await cancel(client, tenant_id, follow_up_id), 409, "It is cancelled already: nothing more is sent.")


async def test_while_it_is_delivered_the_running_attempt_decides(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    await bring_to(engine, tenant_id, follow_up_id, FollowUpState.DELIVERING)
    answer = await cancel(client, tenant_id, follow_up_id)
    assert (answer.status_code, answer.json()["while_delivering"]) == (202, True)
    row = await row_of(engine, tenant_id, follow_up_id)
    assert (row.state, row.cancel_asked, row.finished_at) == ("delivering", True, None)
    await bring_to(engine, tenant_id, follow_up_id, FollowUpState.DELIVERED, lease_until=None)
    assert_refused(await cancel(client, tenant_id, follow_up_id), 409, "It is delivered: what the receiver has cannot be called off.")
