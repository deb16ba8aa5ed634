"""Single values of Graph's answers, made fit to keep: ids as text, texts without U+0000, moments with a zone."""

import re
from datetime import UTC, datetime

from lead_signals.json_body import JsonValue

LONGEST_TEXT_CHARACTERS = 512
_ID = re.compile(r"[0-9A-Za-z_.:-]{1,128}")
_NUL, _SYMBOL_FOR_NUL = "\x00", "\u2400"


def is_graph_id(text: str) -> bool:
    """Whether `text` may stand in a path of Graph.

    At least one digit: every object's id has one, while `.` and `..` climb in the path, and `me` and `debug_token` are other calls.
    """
    return _ID.fullmatch(text) is not None and any("0" <= sign <= "9" for sign in text)


def graph_id(value: JsonValue) -> str | None:
    """An id as text (Graph writes numbers too); None when there is none, when it is 0, or when it is no id."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return text if text != "0" and is_graph_id(text) else None


def graph_text(value: JsonValue, longest_characters: int = LONGEST_TEXT_CHARACTERS) -> str | None:
    """A text of at most `longest_characters`, each U+0000 shown as U+2400; None when it is no text or blank."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value[:longest_characters].replace(_NUL, _SYMBOL_FOR_NUL)


def graph_moment(value: JsonValue) -> datetime | None:
    """A moment, in UTC: seconds since 1970, or ISO 8601 with a zone (`2026-11-22T03:04:05+0000`). None for 0 and for anything else."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return None if moment.tzinfo is None else moment.astimezone(UTC)
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            return None
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
