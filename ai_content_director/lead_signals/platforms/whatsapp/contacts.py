"""Who wrote to a business phone number: the people a change names, by phone number (`wa_id`) and by user id."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.spoken_text import detail, person_name
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.whatsapp.change_items import ItemLists
from lead_signals.platforms.whatsapp.reasons import Quarantined

_NO_DIGIT = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class Contact:
    """What Meta tells about a person. `wa_id` is their phone number in digits, `user_id` a number of them within this business."""

    name: str | None = None
    wa_id: str | None = None
    user_id: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Contacts:
    """The people of one change, and the digits of the business phone number itself."""

    by_id: Mapping[str, Contact]
    only: Contact
    """The one contact beside the one sender, however their numbers are written; an empty one otherwise."""
    own_digits: str

    def is_own(self, message: JsonObject) -> bool:
        """Did the business write it? Its number is shown with spaces and a plus, and written without."""
        return self.own_digits != "" and _digits(decorative_id(message.get("from"))) == self.own_digits


def contacts_of(value: JsonObject, items: ItemLists) -> Contacts:
    """The people of a change. What is strange about them costs their names, never a message: raises nothing."""
    standby = value.get("standby") if items.is_standby else None
    contacts = [_contact(item) for holder in (value, standby) if isinstance(holder, dict) for item in _objects(holder.get("contacts"))]
    messages = _objects(items.lists.get("messages"))
    senders = {decorative_id(message.get("from")) or decorative_id(message.get("from_user_id")) for message in messages} - {None}
    metadata = value.get("metadata")
    shown_number = metadata.get("display_phone_number") if isinstance(metadata, dict) else None
    return Contacts(
        by_id={known_as: contact for contact in contacts for known_as in (contact.user_id, contact.wa_id) if known_as},
        # Some countries write a mobile number in two ways, and then `from` is not the `wa_id`.
        only=contacts[0] if len(contacts) == 1 and len(senders) == 1 else Contact(),
        own_digits=_digits(decorative_id(shown_number)),
    )


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote a message. `id` is the phone number where Meta gives it, else the user id of somebody who goes by a username."""

    id: str
    name: str | None
    notes: dict[str, JsonValue]


def sender_of(message: JsonObject, contacts: Contacts, where: str) -> Sender:
    """The sender; `notes` tell `wa_id`, `user_id` and `username` for `meta`. Raises StrangeItem when nobody is named."""
    wa_id = external_id(message.get("from"), f"{where}.from")
    user_id = external_id(message.get("from_user_id"), f"{where}.from_user_id")
    sender_id = wa_id or user_id
    if sender_id is None:
        raise StrangeItem(Quarantined.SENDER_MISSING, f"{where}.from")
    contact = contacts.by_id.get(sender_id) or contacts.by_id.get(user_id or "") or contacts.only
    told = {"wa_id": wa_id or contact.wa_id, "user_id": user_id or contact.user_id, "username": contact.username}
    return Sender(sender_id, contact.name, {name: text for name, text in told.items() if text})


def _contact(item: JsonObject) -> Contact:
    profile = item.get("profile")
    if not isinstance(profile, dict):
        profile = {}
    return Contact(
        name=person_name(profile.get("name")),
        wa_id=decorative_id(item.get("wa_id")),
        user_id=decorative_id(item.get("user_id")),
        username=detail(profile.get("username")),
    )


def _objects(value: JsonValue) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _digits(number: str | None) -> str:
    return _NO_DIGIT.sub("", number or "")
