"""Looking: pages newest first, every filter, counts under the same filter, one in full; and nothing through a tenant's wall."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.followups.follow_up import FollowUpState, webhook_id
from lead_signals.followups.oversight.receipt import follow_up_receipts
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import URGENT
from tests.followups.oversight.overseen import KEY, attempted, bring_to, change, endpoint_of, open_oversight, owed, row_of
from tests.intake.open_door import assert_refused

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


@pytest.fixture
async def client(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    """The operator."""
    async with open_oversight(engine, OPERATOR_API_KEY=KEY["x-api-key"]) as client:
        client.headers.update(KEY)
        yield client


async def listed(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get("/api/follow-ups", params={name: value for name, value in query.items() if value is not None})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def ids(told: dict[str, Any]) -> list[UUID]:
    return [UUID(one["id"]) for one in told["follow_ups"]]


async def test_one_follow_up_as_the_list_tells_it(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    await attempted(engine, tenant_id, follow_up_id, 1, AT)
    await attempted(engine, tenant_id, follow_up_id, 2, AT, http_status=500, error_class="HTTP500", answer_head=b"<b>", duration_ms=7)
    await bring_to(
        engine, tenant_id, follow_up_id, FollowUpState.RETRYING, attempts=2, failures=2, created_at=func.now() - timedelta(hours=1)
    )
    for minutes, status, reference in ((1, "accepted", "VIEC-1"), (2, "done", "VIEC-2"), (3, "done", None)):
        async with tenant_session(engine, tenant_id) as session:
            receipt = {"receipt_key": f"r{minutes}", "status": status, "reference": reference, "note": "đừng hiện"}
            row = {"tenant_id": tenant_id, "follow_up_id": follow_up_id, "received_at": AT + timedelta(minutes=minutes)}
            await session.execute(insert(follow_up_receipts).values(**row, **receipt))
    (one,) = (await listed(client, tenant_id=tenant_id))["follow_ups"]
    assert 3600 <= one.pop("age_seconds") < 3700
    row = await row_of(engine, tenant_id, follow_up_id)
    assert {name: one.pop(name) for name in ("created_at", "due_at")} == {
        name: getattr(row, name).isoformat().replace("+00:00", "Z") for name in ("created_at", "due_at")
    }
    assert one == {
        "id": str(follow_up_id),
        "webhook_id": webhook_id(follow_up_id),
        "tenant_id": str(tenant_id),
        "lead_id": str(row.lead_id),
        "endpoint": {"id": str(UUID(int=0)), "name": "WEBHOOK_URL", "kind": "webhook"},
        "state": "retrying",
        "cancel_asked": False,
        "finished_at": None,
        "attempts": 2,
        "failures": 2,
        "last_attempt": {
            "started_at": "2026-11-20T08:30:00Z",
            "outcome": "try_again",
            "http_status": 500,
            "error": "HTTP500",
            "duration_ms": 7,
        },
        "receipts": {
            "accepted_at": "2026-11-20T08:31:00Z",
            "done_at": "2026-11-20T08:32:00Z",
            "failed_at": None,
            "reference": "VIEC-2",
        },
    }


async def test_pages_go_from_the_newest_to_the_oldest_and_meet_nobody_twice(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, promised = await owed(engine, database.owner, 5)
    first = await listed(client, tenant_id=tenant_id, limit=2)
    second = await listed(client, tenant_id=tenant_id, limit=2, before=first["follow_ups"][-1]["webhook_id"])
    third = await listed(client, tenant_id=tenant_id, limit=2, before=second["follow_ups"][-1]["id"])
    assert [*ids(first), *ids(second), *ids(third)] == promised[::-1]
    assert [told["counts"]["pending"] for told in (first, second, third)] == [5, 5, 5]


async def test_every_filter_narrows_list_and_counts_alike(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, promised = await owed(engine, database.owner, 7)
    states = [*FollowUpState, FollowUpState.PENDING]
    for follow_up_id, state in zip(promised, states, strict=True):
        await bring_to(engine, tenant_id, follow_up_id, state)
    endpoint_id = await endpoint_of(engine, tenant_id, "Nhóm Zalo")
    await change(engine, tenant_id, promised[0], endpoint_id=endpoint_id, created_at=func.now() - timedelta(minutes=30))
    lead_id = (await row_of(engine, tenant_id, promised[1])).lead_id
    none = dict.fromkeys((state.value for state in FollowUpState), 0)

    for query, expected, counts in (
        ({"state": ["dead", "pending"]}, [0, 4, 6], {"dead": 1, "pending": 2}),
        ({"state": "retrying"}, [3], {"retrying": 1}),
        ({"state": ["delivering", "retrying", "pending"]}, [0, 1, 3, 6], {"delivering": 1, "retrying": 1, "pending": 2}),
        ({"endpoint_id": endpoint_id}, [0], {"pending": 1}),
        ({"lead_id": lead_id}, [1], {"delivering": 1}),
        ({"older_than_minutes": 29}, [0], {"pending": 1}),
        ({"older_than_minutes": 31}, [], {}),
        ({"endpoint_id": endpoint_id, "state": "dead"}, [], {}),
    ):
        told = await listed(client, tenant_id=tenant_id, **query)
        assert ids(told) == [promised[number] for number in reversed(expected)], query
        assert told["counts"] == none | counts, query
        if "lead_id" in query or "endpoint_id" in query:  # of all tenants it is the same ones
            everybodys = await listed(client, **query)
            assert (ids(everybodys), everybodys["counts"]) == (ids(told), told["counts"])
    (one,) = (await listed(client, tenant_id=tenant_id, endpoint_id=endpoint_id))["follow_ups"]
    assert one["endpoint"] == {"id": str(endpoint_id), "name": "Nhóm Zalo", "kind": "slack"}


async def test_a_tenants_list_holds_its_own_and_all_tenants_hold_everybodys(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    here, ours = await owed(engine, database.owner, 2)
    there, theirs = await owed(engine, database.owner, 2)
    assert ids(await listed(client, tenant_id=here)) == ours[::-1]
    assert ids(await listed(client, tenant_id=there)) == theirs[::-1]
    everybody = await listed(client, limit=3)
    assert ids(everybody) == [*theirs[::-1], ours[1]]  # newest first over the walls of all
    assert ids(await listed(client, limit=1, before=str(theirs[0]))) == [ours[1]]
    lead_id = (await row_of(engine, there, theirs[0])).lead_id
    assert ids(await listed(client, tenant_id=here, lead_id=lead_id)) == []
    assert ids(await listed(client, lead_id=lead_id)) == [theirs[0]]
    assert_refused(await client.get(f"/api/follow-ups/{theirs[0]}", params={"tenant_id": str(here)}), 404, "has no follow-up")


async def test_nothing_of_the_message_is_in_the_list(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, _ = await owed(engine, database.owner)
    answer = await client.get("/api/follow-ups", params={"tenant_id": str(tenant_id)})
    for words in (URGENT, "Đinh Thảo Vy", "content_text", "phones", "body"):
        assert words not in answer.text


async def test_one_in_full_and_what_strangers_wrote_stays_text(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    hostile = b"<script>alert(1)</script>\x00\xff\x1b[2J\xe2\x80\xae" + b"x" * 100
    await attempted(engine, tenant_id, follow_up_id, 1, AT, http_status=500, answer_head=hostile)
    await attempted(engine, tenant_id, follow_up_id, 2, AT, outcome="delivered", http_status=200, error_class=None, answer_head=b"")
    for named in (str(follow_up_id), webhook_id(follow_up_id), follow_up_id.hex.upper()):
        answer = await client.get(f"/api/follow-ups/{named}", params={"tenant_id": str(tenant_id)})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        told = answer.json()
        assert (told["follow_up"]["id"], told["body"]["content_text"]) == (str(follow_up_id), URGENT)
        assert told["body"]["lead_id"] == told["follow_up"]["lead_id"]
        assert [attempt["attempt"] for attempt in told["attempts"]] == [1, 2]
        assert told["attempts"][0]["answer"] == hostile.decode(errors="replace")
        assert told["attempts"][1]["answer"] == ""
        assert b"\x1b" not in answer.content
        assert b"\x00" not in answer.content


async def test_bad_questions_are_sentences(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> None:
    assert_refused(await client.get("/api/follow-ups", params={"tenant_id": str(uuid4())}), 404, "There is no tenant")
    assert_refused(await client.get("/api/follow-ups", params={"before": "<b>"}), 422, "UUID")
    assert_refused(await client.get("/api/follow-ups/<b>", params={"tenant_id": str(uuid4())}), 422, "UUID")
    assert_refused(await client.get(f"/api/follow-ups/{uuid4()}", params={"tenant_id": str(uuid4())}), 404, "has no follow-up")
    for query in ({"state": "<b>"}, {"limit": 201}, {"limit": 0}, {"older_than_minutes": -1}, {"endpoint_id": "<b>"}, {"tenant_id": "1"}):
        answer = await client.get("/api/follow-ups", params=query)
        assert answer.status_code == 422, query
        assert [problem["parameter"] for problem in answer.json()["problems"]] == [*query]
        assert "<b>" not in answer.text


async def test_everything_but_receipts_lies_behind_the_operators_key(engine: AsyncEngine) -> None:
    follow_up = uuid4()
    async with open_oversight(engine, OPERATOR_API_KEY=KEY["x-api-key"]) as stranger:
        for method, path in (
            ("GET", "/api/follow-ups"),
            ("GET", f"/api/follow-ups/{follow_up}"),
            ("POST", f"/api/follow-ups/{follow_up}/redrives"),
            ("POST", f"/api/follow-ups/{follow_up}/cancellations"),
            ("POST", "/api/follow-ups/redrives"),
        ):
            assert_refused(await stranger.request(method, path, params={"tenant_id": str(uuid4())}), 401, "OPERATOR_API_KEY")


async def test_a_wrong_state_is_told_by_the_parameters_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/follow-ups", params=[("state", "dead"), ("state", "foo")])
    assert answer.status_code == 422
    assert [problem["parameter"] for problem in answer.json()["problems"]] == ["state"]
    assert answer.json()["error"].startswith("state: Input should be 'pending', ")


async def test_a_slip_in_a_parameter_does_not_show_everybodys(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/follow-ups", params={"tennant_id": str(UUID(int=5)), "state": "dead"})
    assert_refused(answer, 422, "tennant_id: this address knows no such parameter.", "It knows tenant_id, state, ")


async def test_an_attempt_nobody_came_back_from_has_no_outcome(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    await attempted(engine, tenant_id, follow_up_id, 2, AT)
    await bring_to(engine, tenant_id, follow_up_id, FollowUpState.DELIVERING, attempts=4)

    async def told() -> list[tuple[int, str | None, str | None]]:
        answer = await client.get(f"/api/follow-ups/{follow_up_id}", params={"tenant_id": str(tenant_id)})
        assert answer.status_code == 200, answer.text
        return [(each["attempt"], each["outcome"], each["started_at"]) for each in answer.json()["attempts"]]

    ended = [(1, None, None), (2, "try_again", "2026-11-20T08:30:00Z"), (3, None, None)]
    assert await told() == ended, "the fourth runs now"
    await change(engine, tenant_id, follow_up_id, lease_until=func.now() - timedelta(seconds=1))
    assert await told() == [*ended, (4, None, None)]
