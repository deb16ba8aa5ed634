"""Receipts: who may tell, what is told once, and that telling moves nothing of our own."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks.webhooks import Webhook

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, SealedPart
from lead_signals.followups.follow_up import FollowUpState, webhook_id
from lead_signals.followups.oversight.receipt import follow_up_receipts
from lead_signals.followups.oversight.take_receipt import MOST_RECEIPTS
from lead_signals.settings import read_settings
from lead_signals.tenancy.tenant_session import tenant_session
from tests.followups.oversight.overseen import (
    IN_PRODUCTION,
    KEY,
    SECRET,
    attempted,
    audited,
    bring_to,
    change,
    endpoint_of,
    open_oversight,
    owed,
    row_of,
)
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import assert_refused, open_door

OTHER_SECRET = "whsec_bW90IGJpIG1hdCBraGFjIGhvYW4gdG9hbi4uLi4u"
SEALING_KEY = "bW90IGtob2EgZGUgbmllbSBwaG9uZyBkdSAzMiBieXRlcyE="[:43] + "="
ACCEPTED = {"status": "accepted", "reference": "VIEC-2041", "note": None}


def signed(told: dict[str, Any] | bytes, receipt_id: str = "rcpt_1", *, secret: str = SECRET, at: datetime | None = None) -> dict[str, Any]:
    """What a receiver sends: the bytes, and the three headers over exactly them."""
    raw, sent_at = told if isinstance(told, bytes) else json.dumps(told).encode(), at or datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": receipt_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(receipt_id, sent_at, raw.decode()),
    }
    return {"content": raw, "headers": headers}


class Receiver:
    """A receiver of one follow-up, as it calls us back."""

    def __init__(self, client: httpx.AsyncClient, tenant_id: UUID, follow_up_id: UUID) -> None:
        self.client, self.tenant_id, self.follow_up_id = client, tenant_id, follow_up_id

    async def tell(self, *, of: str | None = None, tenant: object = None, **request: Any) -> httpx.Response:
        path = f"/api/follow-ups/{of or webhook_id(self.follow_up_id)}/receipts"
        return await self.client.post(path, params={"tenant_id": str(tenant or self.tenant_id)}, **request)


@pytest.fixture
async def receiver(engine: AsyncEngine, database: DatabaseAddresses) -> AsyncIterator[Receiver]:
    """Production, with a secret for WEBHOOK_URL: nothing is open."""
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    async with open_oversight(engine, **IN_PRODUCTION, WEBHOOK_SIGNING_SECRET=SECRET) as client:
        yield Receiver(client, tenant_id, follow_up_id)


async def kept(engine: AsyncEngine, receiver: Receiver) -> list[tuple[str, str, str | None]]:
    async with tenant_session(engine, receiver.tenant_id) as session:
        rows = await session.execute(select(follow_up_receipts).order_by(follow_up_receipts.c.received_at))
        return [(row.receipt_key, row.status, row.reference) for row in rows]


async def test_accepted_and_done_are_two_facts_each_once(receiver: Receiver, engine: AsyncEngine) -> None:
    first = await receiver.tell(**signed(ACCEPTED))
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["ok"], told["known"], told["status"], told["webhook_id"]) == (True, False, "accepted", webhook_id(receiver.follow_up_id))
    again = await receiver.tell(**signed(ACCEPTED))
    assert (again.status_code, again.json()) == (200, told | {"known": True})
    done = await receiver.tell(of=str(receiver.follow_up_id), **signed({"status": "done"}, "rcpt_2"))
    assert done.status_code == 201
    assert await kept(engine, receiver) == [("rcpt_1", "accepted", "VIEC-2041"), ("rcpt_2", "done", None)]
    events = await audited(engine, receiver.tenant_id, "FOLLOW_UP_RECEIPT")
    assert [(event.entity_id, event.actor, event.detail) for event in events] == [
        (receiver.follow_up_id, "RECEIVER", {"status": "accepted"}),
        (receiver.follow_up_id, "RECEIVER", {"status": "done"}),
    ]


async def test_done_may_come_before_accepted(receiver: Receiver, engine: AsyncEngine) -> None:
    assert (await receiver.tell(**signed({"status": "done"}, "b"))).status_code == 201
    assert (await receiver.tell(**signed({"status": "accepted"}, "a"))).status_code == 201
    assert [status for _, status, _ in await kept(engine, receiver)] == ["done", "accepted"]


@pytest.mark.parametrize("state", FollowUpState)
async def test_a_receipt_is_taken_in_every_state_and_moves_none(state: FollowUpState, receiver: Receiver, engine: AsyncEngine) -> None:
    await bring_to(engine, receiver.tenant_id, receiver.follow_up_id, state)
    before = await row_of(engine, receiver.tenant_id, receiver.follow_up_id)
    assert (await receiver.tell(**signed(ACCEPTED))).status_code == 201
    assert await row_of(engine, receiver.tenant_id, receiver.follow_up_id) == before


UNPROVEN: dict[str, dict[str, Any]] = {
    "no signature": {"json": ACCEPTED},
    "another's secret": signed(ACCEPTED, secret=OTHER_SECRET),
    "other bytes": {**signed(ACCEPTED), "content": b'{"status":"done"}'},
    "another id": {**signed(ACCEPTED), "headers": {**signed(ACCEPTED)["headers"], "webhook-id": "rcpt_2"}},
    "an empty signature": {**signed(ACCEPTED), "headers": {**signed(ACCEPTED)["headers"], "webhook-signature": ""}},
    "a wrong key": {"json": ACCEPTED, "headers": {"x-api-key": "khoa-khac"}},
    "no JSON either": {"content": b"{"},
}


@pytest.mark.parametrize("what", UNPROVEN)
async def test_who_proves_nothing_hears_the_same_whether_the_follow_up_is_there_or_not(
    what: str, receiver: Receiver, engine: AsyncEngine
) -> None:
    there = await receiver.tell(**UNPROVEN[what])
    assert_refused(there, 401, "Sign the receipt", "operator's key")
    for answer in (
        await receiver.tell(of=str(uuid4()), **UNPROVEN[what]),
        await receiver.tell(tenant=uuid4(), **UNPROVEN[what]),
    ):
        assert (answer.status_code, answer.content) == (401, there.content)
    assert await kept(engine, receiver) == []


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 201), (4, 201), (6, 401)])
async def test_a_signature_holds_for_five_minutes_around_its_time(minutes: int, status: int, receiver: Receiver) -> None:
    answer = await receiver.tell(**signed(ACCEPTED, at=datetime.now(UTC) + timedelta(minutes=minutes)))
    assert answer.status_code == status, answer.text


async def test_a_good_signature_does_not_reach_into_another_tenant(
    receiver: Receiver, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    other_tenant, (others,) = await owed(engine, database.owner)
    for answer in (
        await receiver.tell(of=str(others), **signed(ACCEPTED)),
        await receiver.tell(tenant=other_tenant, **signed(ACCEPTED)),
        await receiver.tell(of=str(uuid4()), **signed(ACCEPTED)),
    ):
        assert_refused(answer, 401)
    assert await kept(engine, Receiver(receiver.client, other_tenant, others)) == []
    by_key = await receiver.tell(of=str(others), json=ACCEPTED, headers=KEY)
    assert_refused(by_key, 404, f"Tenant {receiver.tenant_id} has no follow-up {others}")


async def test_an_endpoints_own_secrets_prove_and_the_operators_does_not(engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    until = datetime.now(UTC) + timedelta(hours=1)
    environment = IN_PRODUCTION | {"CHANNEL_TOKEN_KEY": SEALING_KEY, "WEBHOOK_SIGNING_SECRET": OTHER_SECRET}
    endpoint_id = await endpoint_of(engine, tenant_id)
    old, new = SECRET, "whsec_YmkgbWF0IG1vaSBzYXUga2hpIHhvYXkgdm9uZyEhISE="
    await _give_secrets(engine, tenant_id, endpoint_id, new=new, old=old, until=until)
    await change(engine, tenant_id, follow_up_id, endpoint_id=endpoint_id)
    async with open_oversight(engine, **environment) as client:
        receiver = Receiver(client, tenant_id, follow_up_id)
        assert (await receiver.tell(**signed(ACCEPTED, "r1", secret=new))).status_code == 201
        assert (await receiver.tell(**signed(ACCEPTED, "r2", secret=old))).status_code == 201
        assert_refused(await receiver.tell(**signed(ACCEPTED, "r3", secret=OTHER_SECRET)), 401)
        await _give_secrets(engine, tenant_id, endpoint_id, new=new, old=old, until=datetime.now(UTC) - timedelta(seconds=1))
        assert_refused(await receiver.tell(**signed(ACCEPTED, "r4", secret=old)), 401)
    with captured_logs() as logs:
        async with open_oversight(engine, **environment | {"CHANNEL_TOKEN_KEY": "A" * 43 + "="}) as client:
            answer = await Receiver(client, tenant_id, follow_up_id).tell(**signed(ACCEPTED, "r5", secret=new))
    assert_refused(answer, 503, "send it again later")
    assert [event["endpoint_id"] for event in logs.events("receipt_cannot_be_proven")] == [str(endpoint_id)]
    assert [key for key, _, _ in await kept(engine, receiver)] == ["r1", "r2"]


async def _give_secrets(engine: AsyncEngine, tenant_id: UUID, endpoint_id: UUID, *, new: str, old: str, until: datetime) -> None:
    seal = EndpointSeal(read_settings({"CHANNEL_TOKEN_KEY": SEALING_KEY}).channel_token_key)
    sealed = {
        "kind": "webhook",
        "sealed_address": seal.seal(SecretStr("https://crm.example/hook"), SealedPart.ADDRESS, tenant_id, endpoint_id),
        "sealed_secret": seal.seal(SecretStr(new), SealedPart.SECRET, tenant_id, endpoint_id),
        "sealed_old_secret": seal.seal(SecretStr(old), SealedPart.SECRET, tenant_id, endpoint_id),
        "old_secret_until": until,
    }
    async with tenant_session(engine, tenant_id) as session:
        await session.execute(update(follow_up_endpoints).where(follow_up_endpoints.c.id == endpoint_id).values(**sealed))


async def test_the_operators_key_needs_no_signature_and_knows_a_receipt_by_what_it_says(receiver: Receiver, engine: AsyncEngine) -> None:
    first = await receiver.tell(json=ACCEPTED, headers=KEY)
    again = await receiver.tell(json=ACCEPTED | {"note": "nói lại"}, headers=KEY)
    other = await receiver.tell(json=ACCEPTED | {"reference": "VIEC-2042"}, headers=KEY)
    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 201]
    assert [event.actor for event in await audited(engine, receiver.tenant_id, "FOLLOW_UP_RECEIPT")] == ["OPERATOR", "OPERATOR"]
    assert_refused(await receiver.tell(of=str(uuid4()), json=ACCEPTED, headers=KEY), 404)


async def test_without_any_secret_only_a_local_installation_is_open(engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    async with open_oversight(engine) as client:
        receiver = Receiver(client, tenant_id, follow_up_id)
        assert (await receiver.tell(json=ACCEPTED)).status_code == 201
        assert_refused(await receiver.tell(of=str(uuid4()), json=ACCEPTED), 401)
        foreign = await receiver.tell(json=ACCEPTED, headers={"origin": "https://elsewhere.example"})
        assert_refused(foreign, 403, "another site")
        assert_refused(await receiver.tell(json=ACCEPTED, headers={"host": "rebound.example"}), 403, "not ours")
    async with open_oversight(engine, OPERATOR_API_KEY=KEY["x-api-key"]) as client:
        receiver = Receiver(client, tenant_id, follow_up_id)
        there = await receiver.tell(json={"status": "done"})
        assert_refused(there, 401, "Sign the receipt")
        nowhere = await receiver.tell(of=str(uuid4()), json={"status": "done"})
        assert (nowhere.status_code, nowhere.content) == (401, there.content), "who proves nothing does not hear what there is"
        assert (await receiver.tell(json={"status": "done"}, headers=KEY)).status_code == 201
    async with open_oversight(engine, WEBHOOK_SIGNING_SECRET=SECRET) as client:
        assert_refused(await Receiver(client, tenant_id, follow_up_id).tell(json=ACCEPTED), 401)
        assert_refused(await Receiver(client, tenant_id, uuid4()).tell(json=ACCEPTED), 401)
    async with open_oversight(engine, **IN_PRODUCTION) as client:
        assert_refused(await Receiver(client, tenant_id, follow_up_id).tell(json=ACCEPTED), 401)


NEVER_SIGNED: dict[str, Any] = {"kind": "email", "shown_address": "a@example.vn"}
REMOVED: dict[str, Any] = {"sealed_address": None, "removed_at": func.now(), "kind": "webhook", "shown_address": ""}


@pytest.mark.parametrize(
    ("values", "without_key"),
    [({"kind": "slack"}, 201), (NEVER_SIGNED, 201), (REMOVED, 401), (REMOVED | {"kind": "slack"}, 201)],
    ids=["slack", "e-mail", "a webhook that was removed", "slack that was removed"],
)
async def test_only_what_never_had_a_secret_is_open_and_only_without_a_key(
    values: dict[str, Any], without_key: int, engine: AsyncEngine, database: DatabaseAddresses
) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    await change(engine, tenant_id, follow_up_id, endpoint_id=await endpoint_of(engine, tenant_id, **values))
    async with open_oversight(engine, OPERATOR_API_KEY=KEY["x-api-key"]) as client:
        assert_refused(await Receiver(client, tenant_id, follow_up_id).tell(json=ACCEPTED), 401)
    async with open_oversight(engine) as client:
        receiver = Receiver(client, tenant_id, follow_up_id)
        assert_refused(await receiver.tell(json=ACCEPTED, headers={"host": "rebound.example"}), 403, "not ours")
        assert (await receiver.tell(json=ACCEPTED)).status_code == without_key
    async with open_oversight(engine, **IN_PRODUCTION) as client:
        assert_refused(await Receiver(client, tenant_id, follow_up_id).tell(json=ACCEPTED), 401)


@pytest.mark.parametrize(
    ("note", "status"),
    [
        ("Đã gọi\nhẹn thứ Năm\u00a0👩\u200d🔧", 201),
        ("a\x1b[2Jb", 422),
        ("a\u202eb", 422),
        ("a\u2066b", 422),
        ("a\u200fb", 422),
        ("a\u2028b", 422),
    ],
)
async def test_a_note_keeps_its_lines_and_steers_nothing(note: str, status: int, receiver: Receiver, engine: AsyncEngine) -> None:
    answer = await receiver.tell(**signed({"status": "done", "note": note}))
    assert answer.status_code == status, answer.text
    if status == 422:
        assert_refused(answer, 422, "note: holds a control sign")
    else:
        async with tenant_session(engine, receiver.tenant_id) as session:
            assert (await session.execute(select(follow_up_receipts.c.note))).scalar_one() == note


async def test_a_trial_takes_no_receipts(receiver: Receiver) -> None:
    assert_refused(await receiver.tell(of=f"msg_test_{uuid4().hex}", **signed(ACCEPTED)), 422, "of a trial", "takes no receipts")


async def test_a_slip_in_a_parameter_is_told(receiver: Receiver) -> None:
    path = f"/api/follow-ups/{receiver.follow_up_id}/receipts"
    answer = await receiver.client.post(path, params={"tenant_id": str(receiver.tenant_id), "secret": "1"}, **signed(ACCEPTED))
    assert_refused(answer, 422, "secret: this address knows no such parameter.", "It knows tenant_id.")


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (b"{", 400, "not JSON"),
    "a list": (b"[]", 400, "not an object"),
    "no status": (b"{}", 422, "status: Field required."),
    "another status": (b'{"status":"<b>seen</b>"}', 422, "status: Input should be 'accepted', 'done' or 'failed'."),
    "an unknown field": (b'{"status":"done","state":"dead"}', 422, "state: Extra inputs are not permitted."),
    "a number": (b'{"status":"done","reference":7}', 422, "reference: "),
    "a long reference": (json.dumps({"status": "done", "reference": "x" * 201}).encode(), 422, "reference: "),
    "a long note": (json.dumps({"status": "done", "note": "x" * 501}).encode(), 422, "note: "),
    "U+0000": (b'{"status":"done","note":"a\\u0000b"}', 422, "note: holds the character U+0000"),
    "a reference of two lines": (b'{"status":"done","reference":"a\\nb"}', 422, "reference: holds a sign that cannot be printed"),
    "a reference that turns": (b'{"status":"done","reference":"a\\u202eb"}', 422, "reference: holds a sign that cannot be printed"),
    "a reference that steers": (b'{"status":"done","reference":"a\\u001b[2Jb"}', 422, "reference: holds a sign that cannot be printed"),
    "too large": (json.dumps({"status": "done", "note": "x" * 17_000}).encode(), 413, "16 KiB"),
    "far too large": (json.dumps({"status": "done", "note": "x" * 2_000_000}).encode(), 413, "KiB"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_wrong_is_said_field_by_field(what: str, receiver: Receiver, engine: AsyncEngine) -> None:
    raw, status, said = REFUSED[what]
    answer = await receiver.tell(**signed(raw))
    assert_refused(answer, status, said)
    assert "<b>" not in answer.text
    assert await kept(engine, receiver) == []


@pytest.mark.parametrize("named", ["msg_", "x" * 32, "msg_" + "0" * 31, "1' OR '1'='1", "%00", "☎" * 8, "msg_%2e%2e"])
async def test_a_hostile_id_is_a_sentence(named: str, receiver: Receiver) -> None:
    answer = await receiver.tell(of=named, **signed(ACCEPTED))
    assert_refused(answer, 422, "UUID")


async def test_a_tenant_that_is_none_is_a_sentence(receiver: Receiver) -> None:
    answer = await receiver.tell(tenant="'; DROP TABLE tenants", **signed(ACCEPTED))
    assert (answer.status_code, answer.json()["problems"]) == (
        422,
        [{"parameter": "tenant_id", "problem": "Input should be a valid UUID"}],
    )


@pytest.mark.parametrize("receipt_id", ["r" * 129, "a b", "<script>"])
async def test_a_signed_id_that_cannot_be_kept_is_refused(receipt_id: str, receiver: Receiver) -> None:
    assert_refused(await receiver.tell(**signed(ACCEPTED, receipt_id)), 422, "webhook-id: expected 1 to 128")


async def test_one_id_for_two_statuses_is_a_mistake_and_is_told(receiver: Receiver, engine: AsyncEngine) -> None:
    await receiver.tell(**signed(ACCEPTED))
    answer = await receiver.tell(**signed({"status": "done"}))
    assert_refused(answer, 409, "told 'accepted' before", "an id of its own")
    assert [status for _, status, _ in await kept(engine, receiver)] == ["accepted"]


async def test_the_same_receipt_at_once_is_taken_once_and_twenty_are_the_most(receiver: Receiver, engine: AsyncEngine) -> None:
    same = await asyncio.gather(*(receiver.tell(**signed(ACCEPTED)) for _ in range(4)))
    assert sorted(answer.status_code for answer in same) == [200, 200, 200, 201]
    others = [signed({"status": "failed"}, f"f{number}") for number in range(MOST_RECEIPTS + 2)]
    answers = [await receiver.tell(**other) for other in others[:-5]]
    answers += await asyncio.gather(*(receiver.tell(**other) for other in others[-5:]))
    assert sorted(answer.status_code for answer in answers) == [201] * (MOST_RECEIPTS - 1) + [409] * 3
    assert_refused(next(answer for answer in answers if answer.status_code == 409), 409, f"{MOST_RECEIPTS} receipts already")
    assert len(await kept(engine, receiver)) == MOST_RECEIPTS
    assert (await receiver.tell(**signed(ACCEPTED))).status_code == 200


async def test_what_a_receiver_writes_stays_out_of_the_log(receiver: Receiver, engine: AsyncEngine) -> None:
    await attempted(engine, receiver.tenant_id, receiver.follow_up_id, 1, datetime.now(UTC))
    with captured_logs("DEBUG") as logs:
        await receiver.tell(**signed({"status": "failed", "reference": "dau-vet-1", "note": "dau-vet-2"}, "dau-vet-3"))
        await receiver.tell(**signed({"status": "dau-vet-4"}))
    assert "dau-vet" not in logs.text


async def test_the_product_itself_lets_a_receiver_in_and_nobody_else(engine: AsyncEngine, database: DatabaseAddresses) -> None:
    tenant_id, (follow_up_id,) = await owed(engine, database.owner)
    async with open_door(database.app, OPERATOR_API_KEY=KEY["x-api-key"], WEBHOOK_SIGNING_SECRET=SECRET) as client:
        receiver = Receiver(client, tenant_id, follow_up_id)
        assert (await receiver.tell(**signed(ACCEPTED))).status_code == 201
        assert_refused(await receiver.tell(**signed(ACCEPTED, secret=OTHER_SECRET)), 401)
        assert_refused(await client.get("/api/follow-ups"), 401, "OPERATOR_API_KEY")
        (one,) = (await client.get("/api/follow-ups", params={"tenant_id": str(tenant_id)}, headers=KEY)).json()["follow_ups"]
        assert (one["receipts"]["reference"], one["receipts"]["accepted_at"] is not None) == ("VIEC-2041", True)
        schema = (await client.get("/openapi.json", headers=KEY)).json()
        told = schema["paths"]["/api/follow-ups/{follow_up}/receipts"]["post"]
        assert told["requestBody"]["content"]["application/json"]["schema"]["required"] == ["status"]
        assert {"200", "201", "401", "404", "409", "413", "422"} <= set(told["responses"])
        headers = [parameter["name"] for parameter in told["parameters"] if parameter["in"] == "header"]
        assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]
        assert [parameter["name"] for parameter in told["parameters"] if parameter["in"] != "header"] == ["follow_up", "tenant_id"]
        for path in ("redrives", "cancellations"):
            assert {"200", "401", "404", "409", "422"} <= set(schema["paths"][f"/api/follow-ups/{{follow_up}}/{path}"]["post"]["responses"])
