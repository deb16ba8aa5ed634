"""A message that its sender edited or took back (Messenger and Instagram)."""

from dataclasses import replace

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import ChangeKind, Understood
from lead_signals.platforms.meta.conversation import conversation_of
from lead_signals.platforms.meta.reasons import Ignored, Quarantined
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.spoken_text import spoken_text
from lead_signals.platforms.strange_item import StrangeItem

_REMOVAL = 1_000_000  # comes after every edit in the life of a message: what was taken back cannot be edited
_MOST_EDITS = _REMOVAL - 1  # Meta allows five; a larger number is no count


def read_message_edit(edit: JsonValue, item: JsonObject, place: ItemPlace) -> Understood:
    """The edit in a `message_edit` event: the message's `mid`, its new `text`, and which edit it is (`num_edit`, also as text).

    Raises StrangeItem when it cannot be read.
    """
    where = f"{place.where}.message_edit"
    if not isinstance(edit, dict):
        raise StrangeItem(Quarantined.MESSAGE_NOT_OBJECT, where)
    conversation = conversation_of(item, place)
    if conversation.is_own:
        return place.ignored(Ignored.OWN_MESSAGE)
    message_id = external_id(edit.get("mid"), f"{where}.mid")
    if message_id is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_ID)
    text = edit.get("text")
    if text is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_TEXT)
    if not isinstance(text, str):
        raise StrangeItem(Quarantined.TEXT_NOT_TEXT, f"{where}.text")
    return _in_channel(place, conversation.page_id).change(
        ChangeKind.EDITED,
        message_id,
        said_at(item.get("timestamp"), place.now).moment,
        content_text=spoken_text(text).text,
        sequence=_number_of_edit(edit.get("num_edit")),
    )


def read_message_removal(message: JsonObject, item: JsonObject, place: ItemPlace) -> Understood:
    """The sender took a message back (`is_deleted`). Raises StrangeItem when it cannot be read."""
    conversation = conversation_of(item, place)
    if conversation.is_own:
        return place.ignored(Ignored.OWN_MESSAGE)
    message_id = external_id(message.get("mid"), f"{place.where}.message.mid")
    if message_id is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_ID)
    removed_at = said_at(item.get("timestamp"), place.now).moment
    return _in_channel(place, conversation.page_id).change(ChangeKind.REMOVED, message_id, removed_at, sequence=_REMOVAL)


def _in_channel(place: ItemPlace, page_id: str | None) -> ItemPlace:
    # A change must reach the tenant of the message it changes, and without an id on the entry that one went by its recipient.
    return replace(place, channel_external_id=page_id)


def _number_of_edit(value: JsonValue) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 7:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_EDITS else 0
