"""Deliveries as Meta sends them for a Page, signed as Meta signs them. All names and ids are invented."""

import hmac
from typing import Any

import orjson

SECRET = "mot-bi-mat-cua-ung-dung"


def page_entry(page_id: Any, *comments: tuple[str, str]) -> dict[str, Any]:
    """An entry of one Page with a comment for each `(comment_id, message)`."""
    return {"id": page_id, "time": 1_763_800_000, "changes": [comment_change(*comment) for comment in comments]}


def comment_change(comment_id: str, message: str) -> dict[str, Any]:
    """A change that says: somebody wrote this comment."""
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": comment_id,
        "post_id": "710020003000_881",
        "parent_id": "710020003000_881",
        "created_time": 1_763_799_990,
        "from": {"id": "5550001112223", "name": "Lương Khánh Chi"},
        "message": message,
    }
    return {"field": "feed", "value": value}


def message_to(page_id: str, mid: str, text: str) -> dict[str, Any]:
    """An element of `messaging`: a person writes to this Page."""
    return {
        "sender": {"id": "6660001112223"},
        "recipient": {"id": page_id},
        "timestamp": 1_763_799_990_123,
        "message": {"mid": mid, "text": text},
    }


def delivery(*entries: Any) -> bytes:
    """The body of one POST."""
    return orjson.dumps({"object": "page", "entry": list(entries)})


def signature(raw_body: bytes, secret: str = SECRET) -> str:
    """The value of X-Hub-Signature-256 over exactly these bytes."""
    return "sha256=" + hmac.new(secret.encode(), raw_body, "sha256").hexdigest()


def signed(raw_body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery that Meta signed."""
    return {"content-type": "application/json", "x-hub-signature-256": signature(raw_body, secret)}
