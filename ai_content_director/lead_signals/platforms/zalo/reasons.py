"""The closed vocabulary of the Zalo adapter: why an event is no signal, why it is quarantined, how somebody spoke."""

from enum import StrEnum


class Ignored(StrEnum):
    """Understood, and no signal."""

    ECHO = "echo"
    OWN_MESSAGE = "own_message"
    MESSAGE_EMPTY = "message_empty"
    BUTTON_WITHOUT_TEXT = "button_without_text"
    CHAT_OPENED = "chat_opened"
    DELIVERY = "delivery"
    READ = "read"
    REACTION = "reaction"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    CALL = "call"
    TAG = "tag"
    GROUP_CHANGED = "group_changed"
    DATA_WITHDRAWAL = "data_withdrawal"  # somebody asks that what we hold of them be deleted: an operator has to act
    UNKNOWN_EVENT = "unknown_event"


class Quarantined(StrEnum):
    """A shape we cannot trust; `where` beside it says exactly which value."""

    EVENT_NAME_MISSING = "event_name_missing"
    EVENT_NAME_NOT_TEXT = "event_name_not_text"
    SENDER_NOT_OBJECT = "sender_not_object"
    SENDER_MISSING = "sender_missing"
    RECIPIENT_NOT_OBJECT = "recipient_not_object"
    RECIPIENT_IS_ANOTHER_ACCOUNT = "recipient_is_another_account"
    MESSAGE_NOT_OBJECT = "message_not_object"
    TEXT_NOT_TEXT = "text_not_text"
    ATTACHMENTS_NOT_LIST = "attachments_not_list"
    INFO_NOT_OBJECT = "info_not_object"


class Subtype(StrEnum):
    """How somebody spoke, finer than the source type."""

    TEXT = "text"
    ATTACHMENT = "attachment"
    STICKER = "sticker"
    UNSUPPORTED = "unsupported"
    BUTTON = "button"
    SHARED_CONTACT = "shared_contact"
