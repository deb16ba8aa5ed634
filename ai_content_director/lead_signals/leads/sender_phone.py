"""The phone that a sender writes from, where the platform's id of a person is one: WhatsApp."""

import re
from collections.abc import Mapping
from typing import Any

_NUMBER = re.compile(r"[1-9][0-9]{7,14}")  # E.164 without its plus


def with_sender_phone(phones: list[str], meta: Mapping[str, Any]) -> list[str]:
    """The phones found in the text, and behind them the one it was written from, each once. They can always be called back."""
    number = meta.get("wa_id")
    if not isinstance(number, str) or _NUMBER.fullmatch(number) is None or f"+{number}" in phones:
        return phones
    return [*phones, f"+{number}"]
