"""Through which ad or post somebody came, and which earlier message theirs is about."""

from dataclasses import dataclass

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id
from lead_signals.platforms.public_url import media_url
from lead_signals.platforms.spoken_text import detail


@dataclass(frozen=True, slots=True)
class CameFrom:
    """`post_id` is the post that was tapped, `notes` the rest for `meta`."""

    post_id: str | None
    notes: dict[str, JsonValue]


def came_from(message: JsonObject) -> CameFrom:
    """What `referral` (an ad or post with a WhatsApp button) and `context` (what is answered) say. Raises nothing."""
    referral, context = message.get("referral"), message.get("context")
    advertised = _advertised(referral) if isinstance(referral, dict) else CameFrom(None, {})
    return CameFrom(advertised.post_id, {**advertised.notes, **(_answered(context) if isinstance(context, dict) else {})})


def _advertised(referral: JsonObject) -> CameFrom:
    kind, source_id = detail(referral.get("source_type")), decorative_id(referral.get("source_id"))
    notes: dict[str, str | None] = {
        "ad_id" if kind == "ad" else "referral_source_id": source_id,
        "referral_source": kind,
        "referral_url": media_url(referral.get("source_url")),
        "ad_title": detail(referral.get("headline")),
        "ctwa_clid": detail(referral.get("ctwa_clid")),
    }
    return CameFrom(source_id if kind == "post" else None, {name: text for name, text in notes.items() if text})


def _answered(context: JsonObject) -> dict[str, JsonValue]:
    product = context.get("referred_product")
    notes: dict[str, str | None] = {
        "reply_to": detail(context.get("id")),
        "product_id": decorative_id(product.get("product_retailer_id")) if isinstance(product, dict) else None,
    }
    is_forwarded = context.get("forwarded") is True or context.get("frequently_forwarded") is True
    return {**{name: text for name, text in notes.items() if text}, **({"forwarded": True} if is_forwarded else {})}
