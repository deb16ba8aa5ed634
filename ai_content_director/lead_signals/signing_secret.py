"""A signing secret of Standard Webhooks 1.0.0: base64 of 24 to 64 bytes, with `whsec_` before it or without."""

import base64
import binascii
from typing import Final

PREFIX: Final = "whsec_"
FEWEST_BYTES: Final = 24
MOST_BYTES: Final = 64


def is_signing_secret(text: str) -> bool:
    """Whether both sides will read the same bytes out of it, and enough of them. The padding may be left out, as some programs do."""
    encoded = text.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded if "=" in encoded else encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return FEWEST_BYTES <= len(key) <= MOST_BYTES
