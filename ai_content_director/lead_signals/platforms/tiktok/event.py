"""One event: its name says whether somebody spoke."""

from lead_signals.json_body import JsonObject
from lead_signals.platforms.inbound_signal import Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.tiktok.comment import read_comment_update, read_high_intent_comment
from lead_signals.platforms.tiktok.content import content_of
from lead_signals.platforms.tiktok.message import read_message
from lead_signals.platforms.tiktok.reasons import Ignored, Quarantined

_READERS = {
    "im_receive_msg": read_message,
    "im_receive_high_intent_comment": read_high_intent_comment,
    "comment.update": read_comment_update,
}
_NOBODY_SPOKE = {
    "im_receive_msg_eu": Ignored.MESSAGE_WITHHELD,
    "im_send_msg": Ignored.ECHO,
    "im_mark_read_msg": Ignored.READ,
    "im_referral_msg": Ignored.REFERRAL,
    "brand.mention.event": Ignored.BRAND_MENTION,
}


def read_event(event: JsonObject, place: ItemPlace) -> Understood:
    """The signal or change in an event, or why there is none. Raises StrangeItem when it cannot be read."""
    name = event.get("event")
    if name is None:
        raise StrangeItem(Quarantined.EVENT_MISSING, "event")
    if not isinstance(name, str):
        raise StrangeItem(Quarantined.EVENT_NOT_TEXT, "event")
    if name not in _READERS:  # before its content is looked at: events of videos and of the account have other ones
        return place.ignored(_NOBODY_SPOKE.get(name, Ignored.UNKNOWN_EVENT))
    return _READERS[name](content_of(event), place)
