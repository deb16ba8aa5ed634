"""The post, reel, story or broadcast under which something was said."""

from dataclasses import dataclass

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.meta.instagram_reasons import InstagramQuarantined
from lead_signals.platforms.spoken_text import detail
from lead_signals.platforms.strange_item import StrangeItem


@dataclass(frozen=True, slots=True)
class Media:
    """Its id, and what `meta` should say about it: its kind, and the ad it was shown as."""

    id: str | None
    notes: dict[str, JsonValue]


def media_of(value: JsonObject, where: str) -> Media:
    """The `media` of a comment or mention, or its bare `media_id`. Raises StrangeItem for a wrong shape."""
    media = value.get("media")
    if media is None:
        media = {}
    if not isinstance(media, dict):
        raise StrangeItem(InstagramQuarantined.MEDIA_NOT_OBJECT, f"{where}.media")
    media_id = external_id(media.get("id"), f"{where}.media.id") or external_id(value.get("media_id"), f"{where}.media_id")
    noted = {
        "media_product_type": detail(media.get("media_product_type")),
        "ad_id": decorative_id(media.get("ad_id")),
        "ad_title": detail(media.get("ad_title")),
        "original_media_id": decorative_id(media.get("original_media_id")),
    }
    on_ad: dict[str, JsonValue] = {"on_ad": True} if noted["ad_id"] else {}
    return Media(media_id, {**{name: text for name, text in noted.items() if text}, **on_ad})
