"""`content`: what happened, as JSON inside a JSON string; and who did it."""

from dataclasses import dataclass

from lead_signals.json_body import JsonObject, JsonValue, MalformedBody, parse_json_body
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.spoken_text import SpokenText, detail, person_name, spoken_text
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.tiktok.reasons import Quarantined


def content_of(event: JsonObject) -> JsonObject:
    """The content, read as strictly as a body: one object, at most 32 levels. Relays that have parsed it already send the object.

    Raises StrangeItem when it is missing or cannot be read.
    """
    content = event.get("content")
    if isinstance(content, dict):
        return content
    if content is None:
        raise StrangeItem(Quarantined.CONTENT_MISSING, "content")
    if not isinstance(content, str):
        raise StrangeItem(Quarantined.CONTENT_NOT_TEXT, "content")
    try:
        return parse_json_body(content.encode("utf-8", "surrogatepass"))
    except MalformedBody as malformed:
        raise StrangeItem(Quarantined.CONTENT_NOT_JSON, f"content ({malformed.reason})") from None


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote. Both are None in a comment of which TikTok tells neither."""

    id: str | None
    name: str | None
    is_account: bool
    notes: dict[str, JsonValue]


def person_of(content: JsonObject, account_id: str | None) -> Person:
    """The author: `from_user.id`, else `unique_identifier`, by which comments and messages of one person find each other.

    Raises StrangeItem when an id cannot be read. TikTok writes ids as bare numbers: one that a float has cut is refused.
    """
    sender = content.get("from_user")
    if sender is None:
        sender = {}
    if not isinstance(sender, dict):
        raise StrangeItem(Quarantined.FROM_USER_NOT_OBJECT, "content.from_user")
    person_id = external_id(sender.get("id"), "content.from_user.id") or external_id(
        content.get("unique_identifier"), "content.unique_identifier"
    )
    is_account = sender.get("role") == "business_account" or (person_id is not None and person_id == account_id)
    stable_id = decorative_id(content.get("unique_identifier"))
    return Person(person_id, person_name(content.get("from")), is_account, {"unique_identifier": stable_id} if stable_id else {})


def words_at(value: JsonValue, where: str) -> SpokenText:
    """The text; empty when there is none. Raises StrangeItem when it is no text."""
    if value is None:
        return SpokenText("")
    if not isinstance(value, str):
        raise StrangeItem(Quarantined.TEXT_NOT_TEXT, where)
    return spoken_text(value)


def note_at(holder: JsonValue, key: str, note: str) -> dict[str, JsonValue]:
    """A short text of an object inside the content, as a note for `meta`; none when it is not there."""
    text = detail(holder.get(key)) if isinstance(holder, dict) else None
    return {note: text} if text else {}
