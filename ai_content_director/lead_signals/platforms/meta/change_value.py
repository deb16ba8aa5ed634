"""What the values of changes have in common, on a Page and on Instagram: who wrote, what, with which verb, and where it can be seen."""

from dataclasses import dataclass

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.meta.reasons import Quarantined
from lead_signals.platforms.public_url import permalink
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.spoken_text import SpokenText, person_name, spoken_text
from lead_signals.platforms.strange_item import StrangeItem


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote. Both are None when the Page may not know: privacy, or a missing permission."""

    id: str | None
    name: str | None

    def is_page(self, page_id: str | None) -> bool:
        """Is it the Page itself? Both ids are text here, while deliveries mix numbers and text."""
        return page_id is not None and self.id == page_id


def author_of(value: JsonObject, where: str) -> Author:
    """The author: `from` since Graph v2.11, `sender_id` and `sender_name` before; on Instagram the name is a `username`.

    Raises StrangeItem for a wrong shape.
    """
    sender = value.get("from")
    if sender is None:
        sender = {}
    if not isinstance(sender, dict):
        raise StrangeItem(Quarantined.FROM_NOT_OBJECT, f"{where}.from")
    return Author(
        external_id(sender.get("id"), f"{where}.from.id") or external_id(value.get("sender_id"), f"{where}.sender_id"),
        person_name(sender.get("name")) or person_name(sender.get("username")) or person_name(value.get("sender_name")),
    )


def written_in(value: JsonObject, where: str, key: str = "message") -> SpokenText:
    """The text under `key`; empty when there is none (photo, sticker). Raises StrangeItem when it is no text."""
    message = value.get(key)
    if message is None:
        return SpokenText("")
    if not isinstance(message, str):
        raise StrangeItem(Quarantined.MESSAGE_NOT_TEXT, f"{where}.{key}")
    return spoken_text(message)


def verb_of(value: JsonObject, place: ItemPlace) -> str:
    """What was done; `add` when not said, as relays do. Raises StrangeItem when it is no text."""
    verb = value.get("verb")
    if verb is None:
        return "add"
    if not isinstance(verb, str):
        raise StrangeItem(Quarantined.VERB_NOT_TEXT, f"{place.where}.value.verb")
    return verb


def permalink_of(value: JsonObject) -> str | None:
    """Where a person can see it, if the address is one of Meta's own."""
    post = value.get("post")
    return permalink(value.get("permalink_url")) or (permalink(post.get("permalink_url")) if isinstance(post, dict) else None)
