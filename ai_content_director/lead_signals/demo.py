"""The demo: a tenant and a morning of comments, sent through the real door over HTTP like anybody's.

It knows the API only, so it also shows an integrator how to talk to it. All names, numbers and ids are invented.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson

from lead_signals.printable import printable

DEMO_DATA = Path(__file__).with_name("demo_comments.json")


class DemoError(Exception):
    """The server did not take the demo; the message holds its answer."""


@dataclass(frozen=True, slots=True)
class DemoSent:
    """What the demo left behind."""

    tenant_id: str
    comments: int
    created: int


def send_demo(base_url: str, *, operator_key: str | None, app_secret: bytes | None, progress: Callable[[int, int], None]) -> DemoSent:
    """Onboard a demo tenant and send it sample comments. `progress(sent, of)` is called after each delivery.

    `operator_key` and `app_secret` (signs deliveries as Meta does) are needed where the server asks for them.
    """
    data = orjson.loads(DEMO_DATA.read_bytes())
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as client:
        keys = {} if operator_key is None else {"authorization": f"Bearer {operator_key}"}
        tenant_id = _ok(client.post("/onboarding", content=orjson.dumps(data["onboarding"]), headers=keys))["tenant"]["id"]
        created, run = 0, uuid4().hex[:8]
        for number, comment in enumerate(data["comments"], start=1):
            body = orjson.dumps(_delivery(comment, f"demo_{run}_{number}"))
            headers = {"content-type": "application/json", "x-tenant-id": tenant_id, **_signature(app_secret, body)}
            created += _ok(client.post("/webhooks/facebook", content=body, headers=headers))["created"]
            progress(number, len(data["comments"]))
    return DemoSent(tenant_id, len(data["comments"]), created)


def _delivery(comment: dict[str, str], comment_id: str) -> dict[str, Any]:
    return {"object": "page", "entry": [{**comment, "comment_id": comment_id}]}


def _signature(app_secret: bytes | None, body: bytes) -> dict[str, str]:
    if app_secret is None:
        return {}
    return {"x-hub-signature-256": "sha256=" + hmac.new(app_secret, body, "sha256").hexdigest()}


def _ok(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise DemoError(f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {printable(answer.text[:300])}")
    return orjson.loads(answer.content)
