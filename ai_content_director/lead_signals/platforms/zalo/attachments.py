"""What was attached, as short notes for `meta`: kind and address of each part, where a place is, whose card it is.

The addresses expire; nothing is fetched here.
"""

from lead_signals.json_body import JsonObject, JsonValue, MalformedBody, parse_json_body
from lead_signals.platforms.external_id import decorative_id
from lead_signals.platforms.public_url import media_url
from lead_signals.platforms.spoken_text import detail
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.zalo.reasons import Quarantined

MOST_ATTACHMENTS = 50


def attachments_of(event: JsonObject, message: JsonObject, kind: str | None) -> list[JsonValue]:
    """The attachments: `{"type", "url"?, "title"?, …}` each. They stand in `message`; relays put them beside it.

    `kind` is what the event's name says was attached: told even when the attachment itself is missing, None when nothing was.
    Raises StrangeItem when `attachments` is no list.
    """
    found: list[JsonValue] = []
    for holder, where in ((message, "message.attachments"), (event, "attachments")):
        listed = holder.get("attachments")
        if listed is not None and not isinstance(listed, list):
            raise StrangeItem(Quarantined.ATTACHMENTS_NOT_LIST, where)
        found += listed or []
    parts: list[JsonValue] = [_part(attachment, kind) for attachment in found[:MOST_ATTACHMENTS]]
    return parts or ([{"type": kind}] if kind else [])


def _part(attachment: JsonValue, kind: str | None) -> dict[str, JsonValue]:
    if not isinstance(attachment, dict):
        return {"type": kind or "unknown"}
    payload = attachment.get("payload")
    if not isinstance(payload, dict):
        payload = {}
    address = media_url(payload.get("url"))
    sticker_id = decorative_id(payload.get("id"))
    is_card = kind == "business_card"  # comes as a link whose description is JSON with the phone of the card
    title = detail(payload.get("name")) or (None if is_card else detail(payload.get("description")))
    return {
        "type": kind if is_card else detail(attachment.get("type")) or kind or "unknown",
        **({"url": address} if address else {}),
        **({"title": title} if title else {}),
        **({"sticker_id": sticker_id} if sticker_id else {}),
        **(_place(payload)),
        **(_card(payload.get("description")) if is_card else {}),
    }


def _place(payload: JsonObject) -> dict[str, JsonValue]:
    coordinates, address = payload.get("coordinates"), detail(payload.get("address"))
    if not isinstance(coordinates, dict):
        coordinates = {}
    latitude = _degrees(coordinates.get("latitude", coordinates.get("lat")))
    longitude = _degrees(coordinates.get("longitude", coordinates.get("long")))
    return {
        **({"latitude": latitude, "longitude": longitude} if latitude is not None and longitude is not None else {}),
        **({"address": address} if address else {}),
    }


def _degrees(value: JsonValue) -> float | None:
    try:
        degrees = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return degrees if degrees is not None and -180 <= degrees <= 180 else None


def _card(description: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(description, str):
        return {}
    try:
        card = parse_json_body(description.encode("utf-8", "surrogatepass"))
    except MalformedBody:
        return {}
    phone = detail(card.get("phone"))
    return {"phone": phone} if phone else {}
