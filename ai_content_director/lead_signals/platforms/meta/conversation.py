"""Who talks with whom in one event of Messenger or Instagram: the account of ours, and a person."""

from dataclasses import dataclass

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.meta.reasons import Quarantined
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.spoken_text import person_name
from lead_signals.platforms.strange_item import StrangeItem


@dataclass(frozen=True, slots=True)
class Conversation:
    """An account and a person. Meta seldom gives the person's name: only an id, valid within this account."""

    page_id: str | None
    person_id: str
    person_name: str | None

    @property
    def is_own(self) -> bool:
        """Did the account itself speak?"""
        return self.person_id == self.page_id


def conversation_of(item: JsonObject, place: ItemPlace) -> Conversation:
    """The conversation of an event. An entry without an id is routed by its recipient.

    Raises StrangeItem when it does not say who spoke, or when entry and recipient are two different accounts.
    """
    sender, recipient = (
        _party(item, "sender", Quarantined.SENDER_NOT_OBJECT, place),
        _party(item, "recipient", Quarantined.RECIPIENT_NOT_OBJECT, place),
    )
    person_id = external_id(sender.get("id"), f"{place.where}.sender.id") or external_id(
        sender.get("user_ref"), f"{place.where}.sender.user_ref"
    )
    if person_id is None:
        raise StrangeItem(Quarantined.SENDER_MISSING, f"{place.where}.sender.id")
    recipient_id = external_id(recipient.get("id"), f"{place.where}.recipient.id")
    name = person_name(sender.get("name")) or person_name(sender.get("username"))
    conversation = Conversation(place.channel_external_id or recipient_id, person_id, name)
    if not conversation.is_own and _are_two_pages(conversation.page_id, recipient_id):
        raise StrangeItem(Quarantined.RECIPIENT_IS_ANOTHER_PAGE, f"{place.where}.recipient.id")
    return conversation


def _party(item: JsonObject, name: str, not_an_object: Quarantined, place: ItemPlace) -> JsonObject:
    party = item.get(name)
    if party is None:
        return {}
    if not isinstance(party, dict):
        raise StrangeItem(not_an_object, f"{place.where}.{name}")
    return party


def _are_two_pages(page_id: str | None, recipient_id: str | None) -> bool:
    # The entry says one Page, the event another: whose tenant reads it would be a guess, and a wrong guess shows one tenant's
    # customer to another. Page ids are digits; only two real ones contradict each other, the placeholders of samples do not.
    return page_id is not None and recipient_id is not None and page_id != recipient_id and page_id.isdecimal() and recipient_id.isdecimal()
