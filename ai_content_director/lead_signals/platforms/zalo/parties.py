"""Who speaks in an event, and to which Official Account (OA)."""

from dataclasses import dataclass

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.spoken_text import person_name
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.zalo.reasons import Quarantined


def official_account_of(event: JsonObject) -> str | None:
    """The id of the OA; None when the event names none.

    `oa_id` where it is given. Otherwise the one written to, or the one that wrote; in a group the recipient is the group.
    Raises StrangeItem when it cannot be read, or when `oa_id` and the recipient of a person's message are two OAs: whose tenant
    reads it would be a guess, and a wrong guess shows one tenant's customer to another.
    """
    name = event.get("event_name")
    named = external_id(event.get("oa_id"), "oa_id")
    if isinstance(name, str) and (name.startswith("oa_") or (name == "user_received_message" and _is_notification_receipt(event))):
        return named or external_id(_party(event, "sender", Quarantined.SENDER_NOT_OBJECT).get("id"), "sender.id")
    if isinstance(name, str) and "_group" in name:
        return named
    written_to = external_id(_party(event, "recipient", Quarantined.RECIPIENT_NOT_OBJECT).get("id"), "recipient.id")
    if named is not None and written_to is not None and named != written_to:
        raise StrangeItem(Quarantined.RECIPIENT_IS_ANOTHER_ACCOUNT, "recipient.id")
    return named or written_to


def _is_notification_receipt(event: JsonObject) -> bool:
    # A paid notification goes to a phone number: its receipt names the OA as sender and that number as recipient. The receipt of
    # an ordinary message has the same name, and the person as sender.
    message = event.get("message")
    return isinstance(message, dict) and message.get("delivery_time") is not None


@dataclass(frozen=True, slots=True)
class Person:
    """Who speaks. `id` is the person's within this OA, None for a stranger of whom only a conversation is known."""

    id: str | None
    name: str | None
    thread_id: str | None
    notes: dict[str, JsonValue]

    def is_account(self, oa_id: str | None) -> bool:
        """Is it the OA itself?"""
        return self.id is not None and self.id == oa_id


def person_of(event: JsonObject, conversation_id: str | None = None) -> Person:
    """The sender. Raises StrangeItem when there is neither an id nor a conversation by which the person could be answered."""
    sender = _party(event, "sender", Quarantined.SENDER_NOT_OBJECT)
    person_id = external_id(sender.get("id"), "sender.id")
    if person_id is None and conversation_id is None:
        raise StrangeItem(Quarantined.SENDER_MISSING, "sender.id")
    by_app = decorative_id(event.get("user_id_by_app"))
    return Person(person_id, person_name(sender.get("name")), conversation_id or person_id, {"user_id_by_app": by_app} if by_app else {})


def _party(event: JsonObject, name: str, not_an_object: Quarantined) -> JsonObject:
    party = event.get(name)
    if party is None:
        return {}
    if not isinstance(party, dict):
        raise StrangeItem(not_an_object, name)
    return party
