"""The runbook's own calls over HTTP: onboard a tenant, deliver a comment, deliver it again, read the leads."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from uuid import UUID

# A proxy of the environment has no business on loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class AnswerError(Exception):
    """The server answered something else than the runbook promises; the message shows both."""


def make_runbook_calls(address: str, *, operator_key: str | None = None, app_secret: str | None = None) -> None:
    """Make the calls against `http://host:port` and compare each answer; with the operator's key and Meta's signature when given."""
    as_operator = {} if operator_key is None else {"Authorization": f"Bearer {operator_key}"}
    tenant_name = "Xưởng Gỗ An Bình"
    onboarded = _call(f"{address}/onboarding", as_operator, expect=201, body={
        "tenant_name": tenant_name, "industry": "Nội thất", "brand_tone": "thân thiện", "main_services": ["tủ bếp", "bàn ghế"],
        "target_customer": "gia đình trẻ", "cta_style": "mời để lại số điện thoại",
    })  # fmt: skip
    tenant = onboarded["tenant"]
    _expect("the tenant's name", tenant["name"], tenant_name)
    tenant_id = str(UUID(tenant["id"]))

    comment = {"message": "Cho tôi báo giá tủ bếp", "sender_name": "Chị Lụa", "sender_id": "u1", "post_id": "p1", "comment_id": "c1"}
    delivery = {"object": "page", "entry": [comment]}
    as_meta = {"X-Tenant-ID": tenant_id}
    if app_secret is not None:
        as_meta["X-Hub-Signature-256"] = "sha256=" + hmac.new(app_secret.encode(), _bytes(delivery), hashlib.sha256).hexdigest()
    first = _call(f"{address}/webhooks/facebook", as_meta, expect=200, body=delivery)
    _expect("created at the first delivery", (first["ok"], first["created"], len(first["lead_ids"])), (True, 1, 1))
    again = _call(f"{address}/webhooks/facebook", as_meta, expect=200, body=delivery)
    _expect("created at the second delivery", (again["ok"], again["created"]), (True, 0))

    leads = _call(f"{address}/api/leads?tenant_id={tenant_id}&limit=10&offset=0", as_operator, expect=200)
    _expect("leads stored", (leads["tenant_id"], leads["total"], len(leads["leads"])), (tenant_id, 1, 1))
    lead = leads["leads"][0]
    _expect("the lead's id", lead["id"], first["lead_ids"][0])
    _expect("the lead's text", lead["content_text"], comment["message"])
    _expect("the lead's reading", (lead["intent_label"], lead["priority"]), ("inquiry_price", "high"))


def wait_until(what: str, holds: Callable[[], bool], alive: Callable[[], bool], *, timeout_seconds: float) -> None:
    """Ask again until it holds. Raises AnswerError when the program ended or the time is over."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        if not alive():
            raise AnswerError(f"the program ended before {what}")
        if time.monotonic() > deadline:
            raise AnswerError(f"{what}: not after {timeout_seconds:.0f} s")
        time.sleep(0.1)


def status_of(address: str, *, body: bytes | None = None) -> int:
    """The status this URL answers with just now; 0 when nobody answers."""
    return _ask(urllib.request.Request(address, body, {"Content-Type": "application/json"}))[0]


def body_of(address: str) -> str:
    """What this URL answers just now, whatever the status; nothing when nobody answers."""
    return _ask(urllib.request.Request(address))[1].decode(errors="replace")


def _call(address: str, headers: dict[str, str], *, expect: int, body: dict[str, Any] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(address, _bytes(body) if body else None, {"Content-Type": "application/json", **headers})
    status, raw = _ask(request)
    if status != expect:
        raise AnswerError(f"{request.get_method()} {address}: expected {expect}, answered {status} {raw[:500]!r}")
    answer: dict[str, Any] = json.loads(raw)
    return answer


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _ask(request: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with _opener.open(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def _expect(what: str, found: object, promised: object) -> None:
    if found != promised:
        raise AnswerError(f"{what}: expected {promised!r}, found {found!r}")
