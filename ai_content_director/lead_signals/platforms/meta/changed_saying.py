"""A comment, post or mention that was edited, removed, hidden or shown again: which one, when, and its new text."""

from datetime import datetime

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import ChangeKind, Understood
from lead_signals.platforms.meta.change_value import author_of, written_in
from lead_signals.platforms.meta.reasons import Ignored
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at

_KIND_OF_VERB = {
    **dict.fromkeys(("edit", "edited", "update"), ChangeKind.EDITED),
    **dict.fromkeys(("remove", "delete"), ChangeKind.REMOVED),
    "hide": ChangeKind.HIDDEN,
    "unhide": ChangeKind.SHOWN,
}


def read_change_of(value: JsonObject, place: ItemPlace, verb: str, *, id_key: str, own: Ignored) -> Understood:
    """The change that `verb` says, of what `value[id_key]` names. Raises StrangeItem when it cannot be read.

    What the Page edits of its own changes no lead, and is ignored as `own`. With any other verb the author is not asked: a
    delivery may name there who wrote it or the Page that hid it, and whoever did it, it is gone.
    """
    where = f"{place.where}.value"
    kind = _KIND_OF_VERB.get(verb)
    if kind is None:
        return place.ignored(Ignored.UNKNOWN_VERB)
    if kind is ChangeKind.EDITED and author_of(value, where).is_page(place.channel_external_id):
        return place.ignored(own)
    changed_id = external_id(value.get(id_key), f"{where}.{id_key}")
    if changed_id is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_ID)
    if kind is not ChangeKind.EDITED:
        return place.change(kind, changed_id, place.sent_at or _at(value, "created_time", place))
    if value.get("message") is None:  # a photo was exchanged: the text stays what it was
        return place.ignored(Ignored.CHANGE_WITHOUT_TEXT)
    edited_at = _at(value, "edited_time", place) or _at(value, "created_time", place)
    return place.change(kind, changed_id, edited_at, content_text=written_in(value, where).text)


def _at(value: JsonObject, key: str, place: ItemPlace) -> datetime | None:
    # On `edited`, `created_time` is the time of the edit. On the other verbs it is that of the post or comment, hours before
    # (the same on hide and unhide, which then had no order), so there the time of sending is asked first.
    return said_at(value.get(key), place.now).moment
