"""A follow-up made by hand and signed by the library of Standard Webhooks, so that a test can send it twice, late or forged."""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from standardwebhooks.webhooks import Webhook

# Invented. n8n knows both while the old one is being replaced; Lead Signals still signs with the old one.
NEW_SECRET = f"whsec_{base64.b64encode(b'khoa moi cua xuong moc 01').decode()}"
OLD_SECRET = f"whsec_{base64.b64encode(b'khoa cu cua xuong moc 001').decode()}"
FOREIGN_SECRET = f"whsec_{base64.b64encode(b'khoa cua mot nguoi la 001').decode()}"


@dataclass(frozen=True, slots=True)
class SignedPost:
    """One request of a sender: exactly these bytes under exactly these headers."""

    body: bytes
    headers: dict[str, str]

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    def send(self, url: str) -> httpx.Response:
        """Post it, as it is; the answer as it came."""
        return httpx.post(url, content=self.body, headers=self.headers, timeout=60, trust_env=False)

    def with_body(self, body: bytes) -> "SignedPost":
        """Other bytes under the same headers."""
        return replace(self, body=body)

    def with_header(self, name: str, value: str) -> "SignedPost":
        """The same bytes with one header changed."""
        return replace(self, headers={**self.headers, name: value})

    def without_header(self, name: str) -> "SignedPost":
        """The same bytes with one header gone."""
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})


def signed_post(*secrets: str, webhook_id: str | None = None, age: timedelta = timedelta(0), body: bytes | None = None) -> SignedPost:
    """A post that was signed so long ago, one entry of the signature for each secret; a fresh follow-up unless told otherwise."""
    webhook_id, body, at = webhook_id or f"msg_{uuid4().hex}", body or _follow_up(), datetime.now(UTC) - age
    headers = {"content-type": "application/json", "webhook-id": webhook_id, "webhook-timestamp": str(int(at.timestamp()))}
    if secrets:
        headers["webhook-signature"] = " ".join(Webhook(secret).sign(webhook_id, at, body.decode()) for secret in secrets)
    return SignedPost(body, headers)


def _follow_up() -> bytes:
    return json.dumps({"lead_id": str(uuid4()), "tenant_id": str(uuid4()), "content_text": "Báo giá giúp tôi"}, ensure_ascii=False).encode()
