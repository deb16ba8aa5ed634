"""One event: its name says whether somebody spoke."""

import re

from lead_signals.json_body import JsonObject
from lead_signals.platforms.inbound_signal import Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.zalo.message import read_message
from lead_signals.platforms.zalo.reasons import Ignored, Quarantined
from lead_signals.platforms.zalo.shared_contact import read_shared_contact
from lead_signals.platforms.zalo.tap import read_tap

# `user_send_text`, `anonymous_send_image`, `user_send_group_file`: a kind invented tomorrow is still a person who sent something.
_MESSAGE = re.compile(r"(user|anonymous)_send_(group_)?([a-z_]{1,64})")

_NOBODY_SPOKE = {
    "user_received_message": Ignored.DELIVERY,
    "user_seen_message": Ignored.READ,
    **dict.fromkeys(("user_reacted_message", "anonymous_reacted_message", "oa_reacted_message"), Ignored.REACTION),
    "user_click_chatnow": Ignored.CHAT_OPENED,
    "follow": Ignored.FOLLOW,
    "unfollow": Ignored.UNFOLLOW,
    **dict.fromkeys(("user_call_oa", "oa_call_user", "oa_send_consent", "user_reply_consent"), Ignored.CALL),
    **dict.fromkeys(("add_user_to_tag", "remove_user_from_tag", "remove_tag"), Ignored.TAG),
    "user_withdraw": Ignored.DATA_WITHDRAWAL,
}


def read_event(event: JsonObject, place: ItemPlace) -> Understood:
    """The signal in an event, or why there is none. Raises StrangeItem when it cannot be read."""
    name = _name_of(event)
    if name in _NOBODY_SPOKE:
        return place.ignored(_NOBODY_SPOKE[name])
    if name.startswith("oa_send_"):
        return place.ignored(Ignored.ECHO)
    message = _MESSAGE.fullmatch(name)
    if message is not None:
        return read_message(event, place, kind=message[3], is_group=message[2] is not None, is_anonymous=message[1] == "anonymous")
    if name == "user_click_button":
        return read_tap(event, place)
    if name == "user_submit_info":
        return read_shared_contact(event, place)
    return place.ignored(Ignored.GROUP_CHANGED if "_group" in name else Ignored.UNKNOWN_EVENT)


def _name_of(event: JsonObject) -> str:
    name = event.get("event_name")
    if name is None:
        raise StrangeItem(Quarantined.EVENT_NAME_MISSING, "event_name")
    if not isinstance(name, str):
        raise StrangeItem(Quarantined.EVENT_NAME_NOT_TEXT, "event_name")
    return name
