"""One element of `messaging` (or of `standby`, while another app owns the conversation): one event in Messenger or Instagram."""

from dataclasses import dataclass
from hashlib import sha256

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import LONGEST_ID_CHARACTERS, decorative_id, external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.meta.attachments import attachments_of_message
from lead_signals.platforms.meta.changed_message import read_message_edit, read_message_removal
from lead_signals.platforms.meta.conversation import Conversation, conversation_of
from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.public_url import media_url
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.spoken_text import SpokenText, detail, spoken_text
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason

_NOBODY_SPOKE = {
    "reaction": Ignored.REACTION,
    "delivery": Ignored.DELIVERY,
    "read": Ignored.READ,
    "referral": Ignored.REFERRAL,
    "optin": Ignored.OPTIN,
    "account_linking": Ignored.ACCOUNT_LINKING,
    **dict.fromkeys(("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"), Ignored.THREAD_CONTROL),
    **dict.fromkeys(("policy-enforcement", "policy_enforcement"), Ignored.POLICY_ENFORCEMENT),
    "messaging_feedback": Ignored.SURVEY_ANSWER,
    **dict.fromkeys(("payment", "checkout_update", "pre_checkout", "game_play"), Ignored.COMMERCE),
}
# Meta documents a form inside a conversation, but shows no sample of it: kept for a person to look at, never dropped.
_THREAD_LEAD_FORM = ("messaging_in_thread_lead_form_submit", "in_thread_lead_form_submit", "form_id")


def read_messaging(item: JsonValue, place: ItemPlace) -> Understood:
    """The message or button tap in an event, or why there is none. Raises StrangeItem when it cannot be read."""
    return _read(item, place, is_standby=False)


def read_standby(item: JsonValue, place: ItemPlace) -> Understood:
    """The same for an event we only listen to: another app answers, and yet a person has spoken."""
    return _read(item, place, is_standby=True)


def _read(item: JsonValue, place: ItemPlace, *, is_standby: bool) -> Understood:
    if not isinstance(item, dict):
        raise StrangeItem(Quarantined.MESSAGING_ITEM_NOT_OBJECT, place.where)
    message, postback = item.get("message"), item.get("postback")
    if message is not None:
        return _read_message(message, item, place, is_standby=is_standby)
    if postback is not None:
        return _read_postback(postback, item, place, is_standby=is_standby)
    if item.get("message_edit") is not None:
        return read_message_edit(item["message_edit"], item, place)
    for kind, reason in _NOBODY_SPOKE.items():
        if item.get(kind) is not None:
            return place.ignored(reason)
    for kind in _THREAD_LEAD_FORM:
        if item.get(kind) is not None:
            raise StrangeItem(Quarantined.THREAD_LEAD_FORM, f"{place.where}.{kind}")
    return place.ignored(Ignored.UNKNOWN_MESSAGING_KIND)


def _read_message(message: JsonValue, item: JsonObject, place: ItemPlace, *, is_standby: bool) -> Understood:
    where = f"{place.where}.message"
    if not isinstance(message, dict):
        raise StrangeItem(Quarantined.MESSAGE_NOT_OBJECT, where)
    if _is_set(message, "is_echo"):
        return place.ignored(Ignored.ECHO)
    if _is_set(message, "is_deleted"):
        return read_message_removal(message, item, place)
    conversation = conversation_of(item, place)
    if conversation.is_own:
        return place.ignored(Ignored.OWN_MESSAGE)
    message_id = external_id(message.get("mid"), f"{where}.mid")
    written = _written(message.get("text"), Quarantined.TEXT_NOT_TEXT, f"{where}.text")
    attachments = attachments_of_message(message, where)
    subtype = _message_subtype(message, written.text, attachments)
    if subtype is None:  # a click on an ad arrives as a message of only a referral
        return place.ignored(Ignored.REFERRAL if message.get("referral") is not None else Ignored.MESSAGE_EMPTY)
    when = said_at(item.get("timestamp"), place.now)
    reply_to, quick_reply = message.get("reply_to"), message.get("quick_reply")
    advertisement = _advertisement(message.get("referral"))
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.MESSAGE,
        source_subtype=Subtype.STANDBY if is_standby else subtype,
        channel_external_id=conversation.page_id,
        external_message_id=message_id,
        external_post_id=advertisement.post_id,
        external_thread_id=conversation.person_id,
        author_id=conversation.person_id,
        author_name=conversation.person_name,
        content_text=written.text,
        permalink_url=None,
        said_at=when.moment,
        meta={
            **({"attachments": attachments} if attachments else {}),
            **_text_at(reply_to, "mid", "reply_to"),
            **_answered_story(reply_to),
            **_text_at(quick_reply, "payload", "quick_reply_payload"),
            **advertisement.notes,
            **written.notes,
            **when.notes,
        },
    )


def _answered_story(reply_to: JsonValue) -> dict[str, JsonValue]:
    """The story of ours that the person answers, on Instagram. Its address lasts as long as the story, one day."""
    story = reply_to.get("story") if isinstance(reply_to, dict) else None
    if not isinstance(story, dict):
        return {}
    story_id, address = decorative_id(story.get("id")), media_url(story.get("url"))
    return {**({"story_id": story_id} if story_id else {}), **({"story_url": address} if address else {})}


def _message_subtype(message: JsonObject, text: str, attachments: list[JsonValue]) -> Subtype | None:
    if isinstance(message.get("quick_reply"), dict) and text.strip():
        return Subtype.QUICK_REPLY
    if text.strip():
        return Subtype.TEXT
    if message.get("sticker_id") is not None or any(isinstance(part, dict) and part.get("type") == "sticker" for part in attachments):
        return Subtype.STICKER
    if attachments:
        return Subtype.ATTACHMENT
    return Subtype.UNSUPPORTED if _is_set(message, "is_unsupported") else None


def _read_postback(postback: JsonValue, item: JsonObject, place: ItemPlace, *, is_standby: bool) -> Understood:
    where = f"{place.where}.postback"
    if not isinstance(postback, dict):
        raise StrangeItem(Quarantined.POSTBACK_NOT_OBJECT, where)
    title = _written(postback.get("title"), Quarantined.TITLE_NOT_TEXT, f"{where}.title")
    if not title.text.strip():  # no words that the person saw and chose
        return place.ignored(Ignored.POSTBACK_WITHOUT_TITLE)
    conversation = conversation_of(item, place)
    if conversation.is_own:
        return place.ignored(Ignored.OWN_MESSAGE)
    message_id = external_id(postback.get("mid"), f"{where}.mid")
    when = said_at(item.get("timestamp"), place.now)
    advertisement = _advertisement(postback.get("referral"))
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.POSTBACK,
        source_subtype=Subtype.STANDBY if is_standby else Subtype.BUTTON,
        channel_external_id=conversation.page_id,
        external_message_id=_postback_id(message_id, postback, item, conversation, where),
        external_post_id=advertisement.post_id,
        external_thread_id=conversation.person_id,
        author_id=conversation.person_id,
        author_name=conversation.person_name,
        content_text=title.text,
        permalink_url=None,
        said_at=when.moment,
        meta={
            **({"mid": message_id} if message_id else {}),
            **_text_at(postback, "payload", "payload"),
            **advertisement.notes,
            **title.notes,
            **when.notes,
        },
    )


def _postback_id(mid: str | None, postback: JsonObject, item: JsonObject, conversation: Conversation, where: str) -> str | None:
    # Meta gives a tap the `mid` of a message, so the kind belongs to the id. Before `mid` came to postbacks a tap was known
    # only by who tapped what, and when: the time of the tap, the same in every redelivery.
    if mid is not None:
        own_id = f"postback:{mid}"
        if len(own_id) > LONGEST_ID_CHARACTERS:
            raise StrangeItem(StrangeReason.ID_TOO_LONG, f"{where}.mid")
        return own_id
    tapped_at = decorative_id(item.get("timestamp"))
    if tapped_at is None:
        return None
    tap = "\x00".join(
        (conversation.page_id or "", conversation.person_id, tapped_at, str(postback.get("title")), str(postback.get("payload")))
    )
    return f"postback:{sha256(tap.encode('utf-8', 'surrogatepass')).hexdigest()}"


@dataclass(frozen=True, slots=True)
class _Advertisement:
    """The ad or link through which the person came."""

    post_id: str | None
    notes: dict[str, JsonValue]


def _advertisement(referral: JsonValue) -> _Advertisement:
    if not isinstance(referral, dict):
        return _Advertisement(None, {})
    context = referral.get("ads_context_data")
    ad_id = decorative_id(referral.get("ad_id"))
    notes = {
        **({"ad_id": ad_id} if ad_id else {}),
        **_text_at(referral, "ref", "referral_ref"),
        **_text_at(referral, "source", "referral_source"),
        **_text_at(context, "ad_title", "ad_title"),
    }
    return _Advertisement(decorative_id(context.get("post_id")) if isinstance(context, dict) else None, notes)


def _written(value: JsonValue, not_text: Quarantined, where: str) -> SpokenText:
    if value is None:
        return SpokenText("")
    if not isinstance(value, str):
        raise StrangeItem(not_text, where)
    return spoken_text(value)


def _text_at(holder: JsonValue, key: str, note: str) -> dict[str, JsonValue]:
    text = detail(holder.get(key)) if isinstance(holder, dict) else None
    return {note: text} if text else {}


def _is_set(holder: JsonObject, flag: str) -> bool:
    return holder.get(flag) in (True, "true")
