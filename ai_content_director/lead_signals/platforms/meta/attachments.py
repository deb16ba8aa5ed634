"""What was attached: kind and address of each part, as short notes for `meta`. The addresses expire; nothing is fetched here."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id
from lead_signals.platforms.meta.reasons import Quarantined
from lead_signals.platforms.public_url import media_url
from lead_signals.platforms.spoken_text import detail
from lead_signals.platforms.strange_item import StrangeItem

MOST_ATTACHMENTS = 50  # Messenger lets a person send 30 pictures at once


def attachments_of_change(value: JsonObject) -> list[JsonValue]:
    """The photo, video or link of a comment or post: `{"type", "url"?}` each."""
    parts: list[JsonValue] = [_part(kind, value.get(kind)) for kind in ("photo", "video", "link") if value.get(kind)]
    photos = value.get("photos")
    if isinstance(photos, list):
        parts += [_part("photo", photo) for photo in photos[:MOST_ATTACHMENTS]]
    return parts[:MOST_ATTACHMENTS]


def attachments_of_message(message: JsonObject, where: str) -> list[JsonValue]:
    """The attachments of a message: `{"type", "url"?, "title"?, "sticker_id"?}` each, a new or odd type included.

    Raises StrangeItem when `attachments` is no list.
    """
    attachments = message.get("attachments")
    if attachments is None:
        return []
    if not isinstance(attachments, list):
        raise StrangeItem(Quarantined.ATTACHMENTS_NOT_LIST, f"{where}.attachments")
    parts = [_message_part(attachment) for attachment in attachments[:MOST_ATTACHMENTS]]
    # In the summer of 2026 one sticker came twice, as `sticker` and as `image` with the same address.
    stickers = {part.get("url") for part in parts if part.get("type") == "sticker"} - {None}
    return [part for part in parts if part.get("type") != "image" or part.get("url") not in stickers]


def _message_part(attachment: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(attachment, dict):
        return {"type": "unknown"}
    payload = attachment.get("payload")
    if not isinstance(payload, dict):
        payload = {}
    title, sticker_id = detail(payload.get("title")) or detail(attachment.get("title")), decorative_id(payload.get("sticker_id"))
    return {
        **_part(detail(attachment.get("type")) or "unknown", payload.get("url") or attachment.get("url")),
        **({"title": title} if title else {}),
        **({"sticker_id": sticker_id} if sticker_id else {}),
    }


def _part(kind: str, url: JsonValue) -> dict[str, JsonValue]:
    address = media_url(url)
    return {"type": kind, "url": address} if address else {"type": kind}
