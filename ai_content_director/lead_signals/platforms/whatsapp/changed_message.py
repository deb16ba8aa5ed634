"""A message that its sender edited or took back."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import ChangeKind, Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.spoken_text import spoken_text
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.whatsapp.reasons import Ignored, Quarantined
from lead_signals.platforms.whatsapp.what_was_said import content_of

_TEXT_KEY = {"text": "body", "image": "caption", "video": "caption", "document": "caption"}


def read_edit(message: JsonObject, place: ItemPlace) -> Understood:
    """The new text of an earlier message: `edit` carries `original_message_id` and the whole new message."""
    where = f"{place.where}.edit"
    edit = content_of(message, "edit", place.where)
    changed_id = external_id(edit.get("original_message_id"), f"{where}.original_message_id")
    if changed_id is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_ID)
    text = _new_text(content_of(edit, "message", where), f"{where}.message")
    if text is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_TEXT)
    return place.change(ChangeKind.EDITED, changed_id, said_at(message.get("timestamp"), place.now).moment, content_text=text)


def read_revocation(message: JsonObject, place: ItemPlace) -> Understood:
    """The sender took an earlier message back: `revoke` carries its `original_message_id`."""
    revoke = content_of(message, "revoke", place.where)
    changed_id = external_id(revoke.get("original_message_id"), f"{place.where}.revoke.original_message_id")
    if changed_id is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_ID)
    return place.change(ChangeKind.REMOVED, changed_id, said_at(message.get("timestamp"), place.now).moment)


def _new_text(message: JsonObject, where: str) -> str | None:
    kind: JsonValue = message.get("type")
    if not isinstance(kind, str) or kind not in _TEXT_KEY:
        return None
    text = content_of(message, kind, where).get(_TEXT_KEY[kind])
    if text is None:
        return None
    if not isinstance(text, str):
        raise StrangeItem(Quarantined.TEXT_NOT_TEXT, f"{where}.{kind}.{_TEXT_KEY[kind]}")
    return spoken_text(text).text
