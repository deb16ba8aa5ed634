"""The secret a webhook endpoint shares with us: `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks 1.0.0)."""

import base64
import secrets

from pydantic import SecretStr

from lead_signals.signing_secret import PREFIX, is_signing_secret

MADE_BYTES = 32


def make_secret() -> SecretStr:
    """A fresh one."""
    return SecretStr(PREFIX + base64.b64encode(secrets.token_bytes(MADE_BYTES)).decode("ascii"))


def is_secret(text: str) -> bool:
    """Whether both sides will read the same bytes out of it; with its prefix, by which people tell it from other secrets."""
    return text.startswith(PREFIX) and is_signing_secret(text)
