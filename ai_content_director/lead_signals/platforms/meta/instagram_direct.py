"""A direct message on Instagram: an event of `messaging` or `standby`, or the same event as the value of a change."""

from dataclasses import replace

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.inbound_signal import Understood
from lead_signals.platforms.meta.messaging import read_messaging, read_standby
from lead_signals.platforms.meta.reasons import Ignored, Quarantined
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.strange_item import StrangeItem


def read_direct(item: JsonValue, place: ItemPlace) -> Understood:
    """The message or button tap in an event, or why there is none. Raises StrangeItem when it cannot be read."""
    return place.ignored(Ignored.OWN_MESSAGE) if _is_to_oneself(item) else read_messaging(item, place)


def read_direct_standby(item: JsonValue, place: ItemPlace) -> Understood:
    """The same for an event we only listen to, while another app owns the conversation."""
    return place.ignored(Ignored.OWN_MESSAGE) if _is_to_oneself(item) else read_standby(item, place)


def is_of_a_conversation(field: str) -> bool:
    """Do changes of this field carry events of a conversation? Taps, samples and some relays come so."""
    return field == "standby" or field.startswith("messag")


def read_direct_in_change(field: str, value: JsonValue, place: ItemPlace) -> Understood:
    """The event that is the value of a change. Raises StrangeItem when it cannot be read."""
    if value is None or value == {} or place.channel_external_id == "0":  # the App Dashboard tries a field out, for nobody's account
        return place.ignored(Ignored.DASHBOARD_SAMPLE)
    if not isinstance(value, dict):
        raise StrangeItem(Quarantined.VALUE_NOT_OBJECT, f"{place.where}.value")
    read = read_direct_standby if field == "standby" else read_direct
    return read(_as_event(value), replace(place, where=f"{place.where}.value"))


def _is_to_oneself(item: JsonValue) -> bool:
    # The owner of the account tries the inbox out by writing to it; Instagram marks that with `is_self`.
    if not isinstance(item, dict):
        return False
    message = item.get("message")
    return _is_set(item) or (isinstance(message, dict) and _is_set(message))


def _is_set(holder: JsonObject) -> bool:
    return holder.get("is_self") in (True, "true")


def _as_event(value: JsonObject) -> JsonObject:
    """Relays flatten a message to `{"id", "message": "…", "from": {…}}`, like a comment: put back into the form of an event."""
    if "from" not in value or "sender" in value:
        return value
    said = value.get("message")
    message: JsonValue = {"mid": value.get("id"), "text": said} if isinstance(said, str) else said
    return {**value, "sender": value["from"], "message": message}
