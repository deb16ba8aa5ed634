"""A name that an endpoint may have: none that is taken for WEBHOOK_URL, or for the id of another endpoint."""

import re
import unicodedata
from typing import Final

OPERATORS_ENDPOINT_NAME: Final = "WEBHOOK_URL"

_ID: Final = re.compile(r"(?:urn)?(?:uuid)?[0-9a-f]{32}")


def looks_like_another(name: str) -> bool:
    """Whether somebody who reads the name in a list could take it for the operator's endpoint, or for an id."""
    seen = _as_seen(name)
    operators = _as_seen(OPERATORS_ENDPOINT_NAME)
    return seen == operators or seen.startswith(f"{operators}operator") or _ID.fullmatch(seen) is not None


def _as_seen(name: str) -> str:
    """Letters and digits alone, without case, width, marks and signs: U+FF37, a zero-width joiner and a hyphen change no word."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", name).casefold() if sign.isascii() and sign.isalnum())
