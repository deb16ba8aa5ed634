"""The follow-up contract over real HTTP: who is owed one, what it says, how it is named and signed, and whom it never keeps waiting."""

from datetime import datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from lead_signals.followups.delivering.endpoint_gates import SMALL_WINDOW
from tests.deliveries import POLITE, UNCLEAR, URGENT
from tests.door import Door
from tests.followups.conftest import CONSOLE, SIGNING_SECRET
from tests.product import Product
from tests.receiver import Receiver
from tests.receiver_answers import held, status
from tests.waiting import wait_until

SAID = {
    *("lead_id", "tenant_id", "author_name", "author_id", "content_text", "intent_label", "priority", "confidence_score", "status"),
    *("platform", "source_type", "external_post_id", "external_message_id", "permalink_url", "phones", "emails", "created_at"),
    "console_url",
}
WITH_CONTACT = "Cho tôi báo giá tủ bếp, gọi 0903 000 222 hoặc thu.tran@example.vn"


def test_one_for_each_urgent_lead_and_none_for_others(product: Product, door: Door, receiver: Receiver) -> None:
    tenant_id = door.onboard()
    said = {"c_1": URGENT, "c_2": UNCLEAR, "c_3": "Tôi cần tư vấn", "c_4": POLITE, "c_5": "Cho mình đặt lịch xem demo"}
    for _ in range(2):  # the second time nothing is new
        for comment_id, message in said.items():
            door.send(tenant_id, comment_id, message)
    wait_until(lambda: unfinished(product, tenant_id) == 0, "everything owed is settled")
    high = {lead["external_message_id"] for lead in door.leads(tenant_id) if lead["priority"] == "high"}
    assert high == {"c_1", "c_3", "c_5"}
    assert sorted(arrival.said["external_message_id"] for arrival in receiver.arrivals(tenant_id)) == ["c_1", "c_3", "c_5"]
    assert product.rows.value("SELECT count(*) FROM follow_ups WHERE tenant_id = $1", tenant_id) == 3


def test_what_it_says_is_the_lead(door: Door, receiver: Receiver) -> None:
    tenant_id = door.onboard()
    (lead_id,) = door.send_well(tenant_id, "c_1", WITH_CONTACT)
    (arrival,) = receiver.wait_for(1, tenant_id)
    (lead,) = door.leads(tenant_id)
    said = arrival.said
    assert set(said) == SAID
    same = SAID & set(lead) - {"created_at"}
    assert len(same) == 12
    assert {name: said[name] for name in same} == {name: lead[name] for name in same}
    assert datetime.fromisoformat(said["created_at"]) == datetime.fromisoformat(lead["created_at"])
    assert (said["lead_id"], said["permalink_url"]) == (lead_id, lead["meta"]["permalink_url"])
    assert (said["phones"], said["emails"]) == (lead["meta"]["phones"], ["thu.tran@example.vn"])
    assert len(said["phones"]) == 1
    assert said["console_url"] == f"{CONSOLE}/?tenant_id={tenant_id}&lead={lead_id}"


def test_its_headers_name_it_and_the_signature_is_true(product: Product, door: Door, receiver: Receiver) -> None:
    tenant_id = door.onboard()
    door.send_well(tenant_id, "c_1")
    (arrival,) = receiver.wait_for(1, tenant_id)
    follow_up_id = product.rows.value("SELECT id FROM follow_ups WHERE tenant_id = $1", tenant_id)
    assert arrival.headers["content-type"] == "application/json"
    assert arrival.headers["webhook-id"] == arrival.headers["idempotency-key"] == f"msg_{follow_up_id.hex}"
    assert arrival.headers["webhook-timestamp"].isdecimal()

    assert Webhook(SIGNING_SECRET).verify(arrival.body, dict(arrival.headers)) == arrival.said
    for forged_body, forged_headers in (
        (arrival.body.replace(b"high", b"none"), {}),
        (arrival.body, {"webhook-id": "msg_other"}),
        (arrival.body, {"webhook-timestamp": str(int(arrival.headers["webhook-timestamp"]) - 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(SIGNING_SECRET).verify(forged_body, {**arrival.headers, **forged_headers})
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "QQ" * 16).verify(arrival.body, dict(arrival.headers))


def test_both_attempts_are_one_follow_up(product: Product, door: Door, receiver: Receiver) -> None:
    tenant_id = door.onboard()
    receiver.script(tenant_id, status(500, b"n8n is resting"), status(200, b"taken"))
    door.send_well(tenant_id, "c_1")
    first, second = receiver.wait_for(2, tenant_id)
    wait_until(lambda: unfinished(product, tenant_id) == 0, "it is settled")
    assert first.webhook_id == second.webhook_id == second.headers["idempotency-key"]
    assert first.body == second.body
    for arrival in (first, second):
        assert Webhook(SIGNING_SECRET).verify(arrival.body, dict(arrival.headers))
    assert follow_up(product, tenant_id) == ("delivered", 2, 1)
    assert attempts(product, tenant_id) == [
        (1, "try_again", 500, "HTTP500", b"n8n is resting"),
        (2, "delivered", 200, None, b"taken"),
    ]


@pytest.mark.parametrize("code", [201, 202, 204, 299])
def test_any_2xx_is_delivered(code: int, product: Product, door: Door, receiver: Receiver) -> None:
    tenant_id = door.onboard()
    receiver.script(tenant_id, status(code))
    door.send_well(tenant_id, "c_1")
    wait_until(lambda: unfinished(product, tenant_id) == 0, "it is settled")
    assert follow_up(product, tenant_id) == ("delivered", 1, 0)
    assert [attempt[:3] for attempt in attempts(product, tenant_id)] == [(1, "delivered", code)]


def test_a_receiver_that_takes_its_time_keeps_no_sender_waiting(product: Product, door: Door, receiver: Receiver) -> None:
    """Every delivery is answered while the receiver holds as many follow-ups as it is given at once, and has let go of none."""
    tenant_id = door.onboard()
    gate = receiver.gate()
    receiver.script(tenant_id, held(gate))
    count = 30
    answers = [door.send(tenant_id, f"c_{number}") for number in range(count)]
    assert [answer.status_code for answer in answers] == [200] * count
    receiver.wait_for(SMALL_WINDOW, tenant_id)
    assert door.send(tenant_id, "c_last").status_code == 200
    assert not gate.is_set()
    delivered = "SELECT count(*) FROM delivery_attempts WHERE tenant_id = $1 AND outcome = 'delivered'"
    assert product.rows.value(delivered, tenant_id) == 0
    gate.set()
    wait_until(lambda: unfinished(product, tenant_id) == 0, "everything owed is settled", 60)
    assert product.rows.value(delivered, tenant_id) == count + 1
    assert len({arrival.webhook_id for arrival in receiver.arrivals(tenant_id)}) == count + 1


def unfinished(product: Product, tenant_id: str) -> int:
    return int(product.rows.value("SELECT count(*) FROM follow_ups WHERE tenant_id = $1 AND finished_at IS NULL", tenant_id))


def follow_up(product: Product, tenant_id: str) -> tuple[Any, ...]:
    (row,) = product.rows.of("SELECT state, attempts, failures FROM follow_ups WHERE tenant_id = $1", tenant_id)
    return tuple(row)


def attempts(product: Product, tenant_id: str) -> list[tuple[Any, ...]]:
    rows = product.rows.of(
        "SELECT attempt, outcome, http_status, error_class, answer_head FROM delivery_attempts WHERE tenant_id = $1 ORDER BY attempt",
        tenant_id,
    )
    return [tuple(row) for row in rows]
