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
    """The attachments of a message: `{"type", "url"?, "title"?, "sticker_id"?, "media_id"?}` each, a new or odd type included.

    Raises StrangeItem when `attachments` is no list.
    """
    attachments = message.get("attachments")
    if attachments is None:
        return []
    if not isinstance(attachments, list):
        raise StrangeItem(Quarantined.ATTACHMENTS_NOT_LIST, f"{where}.attachments")
    parts = [_message_part(attachment) for attachment in attachments[:MOST_ATTACHMENTS]]
    return [part for part in parts if not _is_twin(part, parts)]


def _is_twin(part: JsonObject, parts: list[JsonObject]) -> bool:
    # In the summer of 2026 one sticker came twice, as `sticker` and as `image` with the same address; a shared post of Instagram
    # comes as `ig_post` and as `share` with the same id.
    kind, key = {"image": ("sticker", "url"), "share": ("ig_post", "media_id")}.get(str(part["type"]), ("", ""))
    return key in part and any(other["type"] == kind and other.get(key) == part[key] for other in parts)


def _message_part(attachment: JsonValue) -> JsonObject:
    if not isinstance(attachment, dict):
        return {"type": "unknown"}
    payload = attachment.get("payload")
    if not isinstance(payload, dict):
        payload = {}
    title, sticker_id = detail(payload.get("title")) or detail(attachment.get("title")), decorative_id(payload.get("sticker_id"))
    media_id = decorative_id(payload.get("ig_post_media_id")) or decorative_id(payload.get("reel_video_id"))
    return {
        **_part(detail(attachment.get("type")) or "unknown", payload.get("url") or attachment.get("url")),
        **({"title": title} if title else {}),
        **({"sticker_id": sticker_id} if sticker_id else {}),
        **({"media_id": media_id} if media_id else {}),
    }


def _part(kind: str, url: JsonValue) -> JsonObject:
    address = media_url(url)
    return {"type": kind, "url": address} if address else {"type": kind}
