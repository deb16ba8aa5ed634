"""One element of `messages`: somebody wrote to a business phone number, or changed what they had written."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.whatsapp.changed_message import read_edit, read_revocation
from lead_signals.platforms.whatsapp.contacts import Contacts, sender_of
from lead_signals.platforms.whatsapp.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.whatsapp.referral import came_from
from lead_signals.platforms.whatsapp.what_was_said import what_was_said

_NOBODY_SPOKE = {"reaction": Ignored.REACTION, "system": Ignored.SYSTEM, "request_welcome": Ignored.WELCOME_REQUEST}
_CHANGES = {"edit": read_edit, "revoke": read_revocation}


def read_message(item: JsonValue, place: ItemPlace, contacts: Contacts, *, is_standby: bool) -> Understood:
    """The signal or change in a message, or why there is none. Raises StrangeItem when it cannot be read."""
    if not isinstance(item, dict):
        raise StrangeItem(Quarantined.ITEM_NOT_OBJECT, place.where)
    kind = _type_of(item, place)
    if contacts.is_own(item):  # written on the business's own phone, or we would answer our own answers
        return place.ignored(Ignored.OWN_MESSAGE)
    if kind in _NOBODY_SPOKE:
        return place.ignored(_NOBODY_SPOKE[kind])
    if kind in _CHANGES:
        return _CHANGES[kind](item, place)
    said = what_was_said(item, kind, place.where)
    if isinstance(said, Ignored):
        return place.ignored(said)
    sender = sender_of(item, contacts, place.where)
    group_id = external_id(item.get("group_id"), f"{place.where}.group_id")
    source = came_from(item)
    when = said_at(item.get("timestamp"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.MESSAGE,
        source_subtype=Subtype.STANDBY if is_standby else said.subtype,
        channel_external_id=place.channel_external_id,
        external_message_id=external_id(item.get("id"), f"{place.where}.id"),
        external_post_id=source.post_id,
        external_thread_id=group_id or sender.id,
        author_id=sender.id,
        author_name=sender.name,
        content_text=said.text.text,
        permalink_url=None,
        said_at=when.moment,
        meta={**sender.notes, **said.notes, **source.notes, **said.text.notes, **when.notes},
    )


def _type_of(message: JsonObject, place: ItemPlace) -> str:
    kind = message.get("type")
    if kind is None:
        raise StrangeItem(Quarantined.TYPE_MISSING, f"{place.where}.type")
    if not isinstance(kind, str):
        raise StrangeItem(Quarantined.TYPE_NOT_TEXT, f"{place.where}.type")
    return kind
