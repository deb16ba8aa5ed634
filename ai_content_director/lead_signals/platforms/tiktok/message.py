"""A direct message to the business account."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.public_url import media_url
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.spoken_text import SpokenText
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.tiktok.content import note_at, person_of, words_at
from lead_signals.platforms.tiktok.reasons import Ignored, Quarantined, Subtype

_STICKERS = frozenset({"sticker", "emoji"})
_ATTACHED = _STICKERS | {"image", "video", "share_post", "template"}


def read_message(content: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a message (`im_receive_msg`). Raises StrangeItem when it cannot be read."""
    kind = content.get("type")
    if kind == "reaction":
        return place.ignored(Ignored.REACTION)
    person = person_of(content, place.channel_external_id)
    if person.is_account:
        return place.ignored(Ignored.OWN_MESSAGE)
    if person.id is None:
        raise StrangeItem(Quarantined.SENDER_MISSING, "content.from_user.id")
    message_id = external_id(content.get("message_id"), "content.message_id")
    written = _written_in(content)
    attachments = [_attachment(kind, content)] if isinstance(kind, str) and kind in _ATTACHED else []
    subtype = _subtype(kind, written.text, content)
    if subtype is None:
        return place.ignored(Ignored.MESSAGE_EMPTY)
    when = said_at(content.get("timestamp"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.MESSAGE,
        source_subtype=subtype,
        channel_external_id=place.channel_external_id,
        external_message_id=message_id,
        external_post_id=None,
        external_thread_id=decorative_id(content.get("conversation_id")) or person.id,
        author_id=person.id,
        author_name=person.name,
        content_text=written.text,
        permalink_url=None,
        said_at=when.moment,
        meta={
            **({"attachments": attachments} if attachments else {}),
            **note_at(content.get("referenced_message_info"), "referenced_message_id", "reply_to"),
            **note_at(content.get("reply_source_payload"), "reply_source_unique_id", "quick_reply_payload"),
            **person.notes,
            **written.notes,
            **when.notes,
        },
    )


def _written_in(content: JsonObject) -> SpokenText:
    text = content.get("text")
    if text is not None and not isinstance(text, dict):
        raise StrangeItem(Quarantined.TEXT_NOT_OBJECT, "content.text")
    return words_at(text.get("body") if text else None, "content.text.body")


def _attachment(kind: str, content: JsonObject) -> JsonValue:
    block = content.get(kind)
    if not isinstance(block, dict):
        block = {}
    address = media_url(block.get("url") or block.get("embed_url"))
    media_id, video_id = decorative_id(block.get("media_id")), decorative_id(block.get("video_id"))
    return {
        "type": kind,
        **({"url": address} if address else {}),
        **({"media_id": media_id} if media_id else {}),
        **({"video_id": video_id} if video_id else {}),
    }


def _subtype(kind: JsonValue, text: str, content: JsonObject) -> Subtype | None:
    if text.strip():  # a tap on an answer of a card arrives as its words, with the name of the button beside them
        return Subtype.QUICK_REPLY if isinstance(content.get("reply_source_payload"), dict) else Subtype.TEXT
    if not isinstance(kind, str) or kind == "text":
        return None
    if kind in _STICKERS:
        return Subtype.STICKER
    return Subtype.ATTACHMENT if kind in _ATTACHED else Subtype.UNSUPPORTED
