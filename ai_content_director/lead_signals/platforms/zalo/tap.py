"""Somebody tapped a button with words on it: they chose these words, as if they had written them."""

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import LONGEST_ID_CHARACTERS
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason
from lead_signals.platforms.zalo.id_of_act import id_of_act
from lead_signals.platforms.zalo.parties import person_of
from lead_signals.platforms.zalo.reasons import Ignored, Subtype
from lead_signals.platforms.zalo.written import message_id_of, message_of, written_in

_ACT = "postback"


def read_tap(event: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a tap (`user_click_button`). Raises StrangeItem when it cannot be read."""
    message = message_of(event)
    written = written_in(message)
    if not written.text.strip():
        return place.ignored(Ignored.BUTTON_WITHOUT_TEXT)
    person = person_of(event)
    if person.is_account(place.channel_external_id):
        return place.ignored(Ignored.OWN_MESSAGE)
    message_id = message_id_of(message)
    when = said_at(event.get("timestamp"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.POSTBACK,
        source_subtype=Subtype.BUTTON,
        channel_external_id=place.channel_external_id,
        external_message_id=_kind_and_id(message_id) or id_of_act(_ACT, event, place.channel_external_id, person.id, written.text),
        external_post_id=None,
        external_thread_id=person.thread_id,
        author_id=person.id,
        author_name=person.name,
        content_text=written.text,
        permalink_url=None,
        said_at=when.moment,
        meta={**({"mid": message_id} if message_id else {}), **person.notes, **written.notes, **when.notes},
    )


def _kind_and_id(message_id: str | None) -> str | None:
    # Whether the id is the tap's own or that of the message with the button is not documented: the kind keeps both apart.
    if message_id is None:
        return None
    own_id = f"{_ACT}:{message_id}"
    if len(own_id) > LONGEST_ID_CHARACTERS:
        raise StrangeItem(StrangeReason.ID_TOO_LONG, "message.msg_id")
    return own_id
