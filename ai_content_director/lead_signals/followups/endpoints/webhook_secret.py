"""The secret a webhook endpoint shares with us: `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks 1.0.0)."""

import base64
import binascii
import secrets

from pydantic import SecretStr

PREFIX = "whsec_"
MADE_BYTES = 32
FEWEST_BYTES, MOST_BYTES = 24, 64


def make_secret() -> SecretStr:
    """A fresh one."""
    return SecretStr(PREFIX + base64.b64encode(secrets.token_bytes(MADE_BYTES)).decode("ascii"))


def is_secret(text: str) -> bool:
    """Whether both sides will read the same bytes out of it."""
    if not text.startswith(PREFIX):
        return False
    try:
        return FEWEST_BYTES <= len(base64.b64decode(text.removeprefix(PREFIX), validate=True)) <= MOST_BYTES
    except (binascii.Error, ValueError):
        return False
