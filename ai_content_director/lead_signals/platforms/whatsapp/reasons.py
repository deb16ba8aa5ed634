"""The closed vocabulary of the WhatsApp adapter: why an item is no signal, why it is quarantined, how somebody spoke."""

from enum import StrEnum


class Ignored(StrEnum):
    """Understood, and no signal. A change of something said is ignored only when it does not say what it changes."""

    UNKNOWN_OBJECT = "unknown_object"
    EMPTY_ENTRY = "empty_entry"
    UNKNOWN_FIELD = "unknown_field"
    EMPTY_CHANGE = "empty_change"
    STATUS = "status"
    ECHO = "echo"
    PLATFORM_ERROR = "platform_error"
    OWN_MESSAGE = "own_message"
    MESSAGE_EMPTY = "message_empty"
    REACTION = "reaction"
    SYSTEM = "system"
    WELCOME_REQUEST = "welcome_request"
    CALL_PERMISSION = "call_permission"
    CHANGE_WITHOUT_ID = "change_without_id"
    CHANGE_WITHOUT_TEXT = "change_without_text"


class Quarantined(StrEnum):
    """A shape we cannot trust; `where` beside it says exactly which value."""

    OBJECT_NOT_TEXT = "object_not_text"
    ENTRY_MISSING = "entry_missing"
    ENTRY_NOT_LIST = "entry_not_list"
    ENTRY_NOT_OBJECT = "entry_not_object"
    CHANGES_NOT_LIST = "changes_not_list"
    CHANGE_NOT_OBJECT = "change_not_object"
    FIELD_MISSING = "field_missing"
    FIELD_NOT_TEXT = "field_not_text"
    VALUE_MISSING = "value_missing"
    VALUE_NOT_OBJECT = "value_not_object"
    METADATA_NOT_OBJECT = "metadata_not_object"
    STANDBY_NOT_OBJECT = "standby_not_object"
    MESSAGES_NOT_LIST = "messages_not_list"
    STATUSES_NOT_LIST = "statuses_not_list"
    MESSAGE_ECHOES_NOT_LIST = "message_echoes_not_list"
    ERRORS_NOT_LIST = "errors_not_list"
    ITEM_NOT_OBJECT = "item_not_object"
    SENDER_MISSING = "sender_missing"
    TYPE_MISSING = "type_missing"
    TYPE_NOT_TEXT = "type_not_text"
    CONTENT_NOT_OBJECT = "content_not_object"
    CONTACTS_NOT_LIST = "contacts_not_list"
    TEXT_NOT_TEXT = "text_not_text"


class Subtype(StrEnum):
    """How somebody spoke, finer than the source type."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    AUDIO = "audio"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACTS = "contacts"
    BUTTON = "button"
    LIST_REPLY = "list_reply"
    FLOW_FORM = "flow_form"
    ORDER = "order"
    UNSUPPORTED = "unsupported"
    STANDBY = "standby"
