"""Standard Webhooks signatures (spec 1.0.0): ours on what we send, and those of receivers on their receipts.

`v1,<base64 of HMAC-SHA256 over "id.timestamp.body">`; a list of them separated by spaces while secrets rotate.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

TOLERANCE_SECONDS: Final = 300
MOST_SIGNATURES: Final = 16
"""Each costs a comparison; nobody rotates sixteen secrets at once."""


class UnusableSecretError(ValueError):
    """No signing secret: it is empty, or no base64. The message never holds it."""


class WebhookSigner:
    """Signs with every live secret, so that a receiver may know the old or the new one."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises UnusableSecretError."""
        self._keys = tuple(_key(secret) for secret in secrets)

    def sign(self, webhook_id: str, at: datetime, body: bytes) -> str | None:
        """The header `webhook-signature`, one `v1,…` for each secret; None without a secret. `body` is UTF-8."""
        text = body.decode()
        return " ".join(key.sign(webhook_id, at.astimezone(UTC), text) for key in self._keys) or None


def verify(headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime) -> bool:
    """Whether one of the secrets signed this body within 300 s of `now`. Header names in lower case, or a mapping that ignores case.

    Takes the same time for every wrong signature of one length; a secret that is none verifies nothing. Never raises.
    """
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    sent_at = _moment(timestamp)
    if not webhook_id or sent_at is None or abs((now - sent_at).total_seconds()) > TOLERANCE_SECONDS:
        return False
    given = _given(headers.get("webhook-signature", ""))
    try:
        text = raw_body.decode()
    except UnicodeDecodeError:
        return False
    is_true = False
    for secret in secrets:
        try:
            expected = _key(secret).sign(webhook_id, sent_at, text).encode()
        except (UnusableSecretError, UnicodeEncodeError):
            continue
        for signature in given:
            is_true |= hmac.compare_digest(expected, signature)
    return is_true


def _key(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except (EmptyWebhookSecretError, binascii.Error, ValueError):
        raise UnusableSecretError("a signing secret must be whsec_ and base64, as `openssl rand -base64 32` prints it") from None


def _moment(timestamp: str) -> datetime | None:
    """Whole seconds in plain digits: what was signed is then what is read, with no second spelling of it."""
    if not re.fullmatch(r"[1-9][0-9]{0,10}", timestamp):
        return None
    return datetime.fromtimestamp(int(timestamp), UTC)


def _given(header: str) -> list[bytes]:
    """The v1 signatures of the list, in one spelling; what is no such thing is left out."""
    signatures = []
    for part in header.split(" ")[:MOST_SIGNATURES]:
        version, _, signature = part.partition(",")
        try:
            raw = base64.b64decode(signature, validate=True)
        except ValueError:
            continue
        if version == "v1" and raw:
            signatures.append(b"v1," + base64.b64encode(raw))
    return signatures
