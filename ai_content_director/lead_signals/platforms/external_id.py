"""An id given by a platform, as text. The same id comes as a number in one delivery and as text in the next."""

from lead_signals.json_body import JsonValue
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason

LONGEST_ID_CHARACTERS = 512  # at most 2,048 bytes, under the 2,704 a btree index entry may hold


def external_id(value: JsonValue, where: str) -> str | None:
    """The id as text; None when there is none (null or blank).

    Raises StrangeItem for anything that is not text or a whole number, that is too long, or that holds U+0000. A whole
    number of 2^64 or more arrives as a float, its last digits lost, and is refused with the rest.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise StrangeItem(StrangeReason.ID_NOT_TEXT_OR_INTEGER, where)
    text = str(value)
    if not text.strip():
        return None
    if len(text) > LONGEST_ID_CHARACTERS:
        raise StrangeItem(StrangeReason.ID_TOO_LONG, where)
    if "\x00" in text:
        raise StrangeItem(StrangeReason.ID_HAS_NUL, where)
    return text


def decorative_id(value: JsonValue) -> str | None:
    """An id that only adorns a signal (an ad, a form): what is strange about it costs the id, not the signal."""
    try:
        text = external_id(value, "")
    except StrangeItem:
        return None
    return None if text == "0" else text  # Meta writes 0 for "no ad"
