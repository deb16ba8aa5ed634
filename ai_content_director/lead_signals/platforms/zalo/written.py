"""What messages and taps have in common: `message`, its id, and what is written in it."""

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.spoken_text import SpokenText, spoken_text
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.zalo.reasons import Quarantined


def message_of(event: JsonObject) -> JsonObject:
    """`message`; empty when there is none. Raises StrangeItem for another shape."""
    message = event.get("message")
    if message is None:
        return {}
    if not isinstance(message, dict):
        raise StrangeItem(Quarantined.MESSAGE_NOT_OBJECT, "message")
    return message


def message_id_of(message: JsonObject) -> str | None:
    """`msg_id`; relays write `mid`. Raises StrangeItem when it cannot be read."""
    return external_id(message.get("msg_id"), "message.msg_id") or external_id(message.get("mid"), "message.mid")


def written_in(message: JsonObject) -> SpokenText:
    """The text; empty when there is none. Raises StrangeItem when it is no text."""
    text = message.get("text")
    if text is None:
        return SpokenText("")
    if not isinstance(text, str):
        raise StrangeItem(Quarantined.TEXT_NOT_TEXT, "message.text")
    return spoken_text(text)
