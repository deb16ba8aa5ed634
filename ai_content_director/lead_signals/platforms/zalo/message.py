"""What a person sent: words, a picture, a sticker, a place, a card; to the Official Account, or into a group it takes part in."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.zalo.attachments import attachments_of
from lead_signals.platforms.zalo.parties import person_of
from lead_signals.platforms.zalo.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.zalo.written import message_id_of, message_of, written_in

_ATTACHED = frozenset({"image", "link", "audio", "video", "gif", "location", "business_card", "file"})


def read_message(event: JsonObject, place: ItemPlace, *, kind: str, is_group: bool, is_anonymous: bool) -> Understood:
    """The signal of a message of this kind. Raises StrangeItem when it cannot be read.

    Without a `msg_id` a repetition cannot be recognised. In a group the thread is the group, and for somebody who has not told
    Zalo who they are it is the conversation.
    """
    message = message_of(event)
    conversation_id = external_id(message.get("conversation_id"), "message.conversation_id") if is_anonymous else None
    person = person_of(event, conversation_id)
    if person.is_account(place.channel_external_id):
        return place.ignored(Ignored.OWN_MESSAGE)
    message_id = message_id_of(message)
    written = written_in(message)
    attachments = attachments_of(event, message, kind if kind == "sticker" or kind in _ATTACHED else None)
    subtype = _subtype(kind, written.text, attachments)
    if subtype is None:
        return place.ignored(Ignored.MESSAGE_EMPTY)
    group_id = _group_of(event) if is_group else None
    when = said_at(event.get("timestamp"), place.now)
    quoted = decorative_id(message.get("quote_msg_id"))
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.MESSAGE,
        source_subtype=subtype,
        channel_external_id=place.channel_external_id,
        external_message_id=message_id,
        external_post_id=None,
        external_thread_id=group_id or person.thread_id,
        author_id=person.id,
        author_name=person.name,
        content_text=written.text,
        permalink_url=None,
        said_at=when.moment,
        meta={
            **({"attachments": attachments} if attachments else {}),
            **({"reply_to": quoted} if quoted else {}),
            **({"group_id": group_id} if group_id else {}),
            **({"anonymous": True} if is_anonymous else {}),
            **person.notes,
            **written.notes,
            **when.notes,
        },
    )


def _subtype(kind: str, text: str, attachments: list[JsonValue]) -> Subtype | None:
    if text.strip():
        return Subtype.TEXT
    if kind == "sticker":
        return Subtype.STICKER
    if attachments:
        return Subtype.ATTACHMENT
    return None if kind == "text" else Subtype.UNSUPPORTED


def _group_of(event: JsonObject) -> str | None:
    recipient = event.get("recipient")
    if recipient is not None and not isinstance(recipient, dict):
        raise StrangeItem(Quarantined.RECIPIENT_NOT_OBJECT, "recipient")
    written_to = external_id(recipient.get("id"), "recipient.id") if recipient else None
    return written_to or external_id(event.get("group_id"), "group_id")
