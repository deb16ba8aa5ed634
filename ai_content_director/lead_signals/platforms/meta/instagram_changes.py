"""One change of an Instagram account: an element of `changes`, or an entry that has `field` and `value` of its own."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.inbound_signal import Understood
from lead_signals.platforms.meta.instagram_comment import read_comment, read_live_comment
from lead_signals.platforms.meta.instagram_direct import is_of_a_conversation, read_direct_in_change
from lead_signals.platforms.meta.instagram_mention import read_instagram_mention
from lead_signals.platforms.meta.instagram_reasons import InstagramIgnored
from lead_signals.platforms.meta.reasons import Ignored, Quarantined
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.strange_item import StrangeItem

_READERS = {"comments": read_comment, "live_comments": read_live_comment, "mentions": read_instagram_mention}


def is_flat(entry: JsonObject) -> bool:
    """Is the entry itself a change? The documentation of Instagram Login writes comments so, without `changes`."""
    return "field" in entry or "value" in entry


def read_instagram_change(change: JsonValue, place: ItemPlace) -> Understood:
    """The signal in a change, or why there is none. Raises StrangeItem when it cannot be read."""
    if not isinstance(change, dict):
        raise StrangeItem(Quarantined.CHANGE_NOT_OBJECT, place.where)
    field, value = change.get("field"), change.get("value")
    if field is None:
        raise StrangeItem(Quarantined.FIELD_MISSING, f"{place.where}.field")
    if not isinstance(field, str):
        raise StrangeItem(Quarantined.FIELD_NOT_TEXT, f"{place.where}.field")
    if is_of_a_conversation(field):
        return read_direct_in_change(field, value, place)
    if field == "story_insights":  # how often a story was seen
        return place.ignored(InstagramIgnored.STORY_INSIGHTS)
    if field not in _READERS:
        return place.ignored(Ignored.UNKNOWN_FIELD)
    if value is None:
        raise StrangeItem(Quarantined.VALUE_MISSING, f"{place.where}.value")
    if not isinstance(value, dict):
        raise StrangeItem(Quarantined.VALUE_NOT_OBJECT, f"{place.where}.value")
    return _READERS[field](value, place)
