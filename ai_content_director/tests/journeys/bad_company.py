"""A street of tenants with an endpoint each: one receiver is well, the others misbehave, every one in its own way."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.door import Door
from tests.product import Product
from tests.receiver import Answer, Receiver
from tests.receiver_answers import (
    announces_a_gigabyte,
    hangs_after_headers,
    hangs_before_headers,
    resets_in_the_body,
    status,
    trickles_body,
    trickles_headers,
)

RETRY_AFTER = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """How a receiver answers, and what each attempt there must come to. `words`: the status or the error it may be told by."""

    name: str
    answer: Answer | None  # None: nobody gets as far as an answer
    outcome: str
    words: frozenset[int | str]
    state: str
    keeps_waiting: bool = False  # each attempt lasts until its time is over


def misbehaviours(elsewhere: str) -> Sequence[Misbehaviour]:
    """All of them; `elsewhere` is where one of them would send us on to."""
    again, retrying = "try_again", "retrying"
    return (
        Misbehaviour("500", status(500, b"broken"), again, frozenset({500}), retrying),
        Misbehaviour("429", status(429, b"", f"retry-after: {RETRY_AFTER.seconds}"), again, frozenset({429}), retrying),
        Misbehaviour("hangs before headers", hangs_before_headers, again, frozenset({"Timeout"}), retrying, keeps_waiting=True),
        # The status line is the receiver's word: what it does not say after it takes nothing back.
        Misbehaviour("hangs after headers", hangs_after_headers, "delivered", frozenset({200}), "delivered", keeps_waiting=True),
        Misbehaviour("one byte a second", trickles_headers, again, frozenset({"Timeout"}), retrying, keeps_waiting=True),
        Misbehaviour("one byte a second after 503", trickles_body, again, frozenset({503}), retrying, keeps_waiting=True),
        Misbehaviour("reset in the body", resets_in_the_body, again, frozenset({500, "ConnectionLost"}), retrying),
        Misbehaviour("a gigabyte", announces_a_gigabyte, again, frozenset({500}), retrying),
        Misbehaviour("redirect", status(307, b"", f"location: {elsewhere}"), again, frozenset({307}), retrying),
        Misbehaviour("expired certificate", None, again, frozenset({"CertificateExpired"}), retrying),
        Misbehaviour("410", status(410), "give_up", frozenset({410}), "dead"),
    )


def add_endpoint(door: Door, tenant_id: str, receiver: Receiver) -> str:
    """By the API, as an integrator adds one; its id."""
    wish = {"tenant_id": tenant_id, "kind": "webhook", "name": "n8n", "address": receiver.url}
    answer = door.http.post("/api/endpoints", json=wish)
    assert answer.status_code == 201, answer.text
    endpoint_id: str = answer.json()["endpoint"]["id"]
    return endpoint_id


def endpoint_state(door: Door, tenant_id: str) -> str:
    """In the API's one word."""
    (shown,) = door.http.get("/api/endpoints", params={"tenant_id": tenant_id}).json()["endpoints"]
    state: str = shown["state"]
    return state


def attempts_at(product: Product, tenant_id: str) -> Sequence[Mapping[str, Any]]:
    """What was written down about this tenant's attempts."""
    return [
        dict(row)
        for row in product.rows.of(
            "SELECT outcome, http_status, error_class, duration_ms, attempt, follow_up_id FROM delivery_attempts WHERE tenant_id = $1",
            tenant_id,
        )
    ]


def webhook_ids_by_lead(receiver: Receiver, tenant_id: str) -> Mapping[str, set[str]]:
    """Under which ids each lead was told about."""
    told: dict[str, set[str]] = {}
    for arrival in receiver.arrivals(tenant_id):
        told.setdefault(json.loads(arrival.body)["lead_id"], set()).add(arrival.webhook_id)
    return told
