"""One element of `changes`: a field of the Page that changed, and its value."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.inbound_signal import Understood
from lead_signals.platforms.meta.feed import read_feed
from lead_signals.platforms.meta.lead_form import read_lead_form
from lead_signals.platforms.meta.mention import read_mention
from lead_signals.platforms.meta.reasons import Ignored, Quarantined
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.strange_item import StrangeItem

_READERS = {"feed": read_feed, "mention": read_mention, "leadgen": read_lead_form}

_REVIEWS = frozenset({"ratings", "product_review"})


def read_change(change: JsonValue, place: ItemPlace) -> Understood:
    """The signal in a change, or why there is none. Raises StrangeItem when it cannot be read."""
    if not isinstance(change, dict):
        raise StrangeItem(Quarantined.CHANGE_NOT_OBJECT, place.where)
    field = _field(change, place)
    if field in _REVIEWS:
        return place.ignored(Ignored.REVIEW)
    if field == "standby" or field.startswith("messag"):  # samples of the App Dashboard; real events come in `messaging`
        return place.ignored(Ignored.DASHBOARD_SAMPLE)
    if field not in _READERS:  # before its value is looked at: changes of the Page's profile come without one
        return place.ignored(Ignored.UNKNOWN_FIELD)
    value = change.get("value")
    if value is None:
        raise StrangeItem(Quarantined.VALUE_MISSING, f"{place.where}.value")
    if not isinstance(value, dict):
        raise StrangeItem(Quarantined.VALUE_NOT_OBJECT, f"{place.where}.value")
    return _READERS[field](value, place)


def _field(change: JsonObject, place: ItemPlace) -> str:
    field, value = change.get("field"), change.get("value")
    if field is None and isinstance(value, dict):  # relays forward the value and forget which field it came from
        if "leadgen_id" in value:
            return "leadgen"
        if "item" in value:
            return "feed"
    if field is None:
        raise StrangeItem(Quarantined.FIELD_MISSING, f"{place.where}.field")
    if not isinstance(field, str):
        raise StrangeItem(Quarantined.FIELD_NOT_TEXT, f"{place.where}.field")
    return field
