"""The closed vocabulary of the TikTok adapter: why an event is no signal, why it is quarantined, how somebody spoke."""

from enum import StrEnum


class Ignored(StrEnum):
    """Understood, and no signal."""

    ECHO = "echo"
    OWN_MESSAGE = "own_message"
    OWN_COMMENT = "own_comment"
    MESSAGE_WITHHELD = "message_withheld"  # written in Europe: TikTok tells neither who wrote, nor what, nor an id
    MESSAGE_EMPTY = "message_empty"
    REACTION = "reaction"
    READ = "read"
    REFERRAL = "referral"
    BRAND_MENTION = "brand_mention"
    UNKNOWN_ACTION = "unknown_action"
    CHANGE_WITHOUT_ID = "change_without_id"
    UNKNOWN_EVENT = "unknown_event"


class Quarantined(StrEnum):
    """A shape we cannot trust; `where` beside it says exactly which value."""

    EVENT_MISSING = "event_missing"
    EVENT_NOT_TEXT = "event_not_text"
    CONTENT_MISSING = "content_missing"
    CONTENT_NOT_TEXT = "content_not_text"
    CONTENT_NOT_JSON = "content_not_json"
    FROM_USER_NOT_OBJECT = "from_user_not_object"
    SENDER_MISSING = "sender_missing"
    TEXT_NOT_OBJECT = "text_not_object"
    TEXT_NOT_TEXT = "text_not_text"
    ACTION_MISSING = "action_missing"
    ACTION_NOT_TEXT = "action_not_text"
    COMMENT_EMPTY = "comment_empty"


class Subtype(StrEnum):
    """How somebody spoke, finer than the source type."""

    COMMENT = "comment"
    REPLY = "reply"
    HIGH_INTENT = "high_intent"
    TEXT = "text"
    QUICK_REPLY = "quick_reply"
    STICKER = "sticker"
    ATTACHMENT = "attachment"
    UNSUPPORTED = "unsupported"
