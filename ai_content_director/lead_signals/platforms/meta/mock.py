"""The runbook's mock entry: a comment written at the top level of an entry, to try the webhook by hand."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.inbound_signal import Understood
from lead_signals.platforms.meta.feed import comment_signal
from lead_signals.platforms.meta.reasons import Quarantined, Subtype
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.strange_item import StrangeItem

_KEYS = frozenset({"message", "comment_id", "sender_id", "sender_name", "post_id"})


def is_mock(entry: JsonObject) -> bool:
    """Does the entry hold a comment of its own? Meta never puts these keys there."""
    return not _KEYS.isdisjoint(entry)


def read_mock(entry: JsonValue, place: ItemPlace) -> Understood:
    """The comment in a mock entry: message, sender_name, sender_id, post_id, comment_id.

    `comment_id` is the external_message_id; without one the comment is kept and a repetition cannot be recognised.
    """
    if not isinstance(entry, dict):
        raise StrangeItem(Quarantined.ENTRY_NOT_OBJECT, place.where)
    return comment_signal(entry, place, place.where, Subtype.MOCK)
