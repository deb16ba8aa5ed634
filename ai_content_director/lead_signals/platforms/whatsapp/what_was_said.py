"""What a message says, by its type: the words a person wrote, read or tapped, and notes about everything that is no words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id
from lead_signals.platforms.public_url import media_url
from lead_signals.platforms.spoken_text import SpokenText, detail, spoken_text
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.whatsapp.flow_answers import flow_answers
from lead_signals.platforms.whatsapp.reasons import Ignored, Quarantined, Subtype

_MOST_CONTACTS = 20
_MOST_PHONES = 5
_MOST_PRODUCTS = 100


@dataclass(frozen=True, slots=True)
class Said:
    """What was said. `notes` go into `meta`, without the keys that hold nothing."""

    subtype: Subtype
    text: SpokenText = field(default_factory=lambda: SpokenText(""))
    notes: Mapping[str, JsonValue] = field(default_factory=dict)


def what_was_said(message: JsonObject, kind: str, where: str) -> Said | Ignored:
    """What a message of this type says, or why it says nothing.

    A type that Meta or we do not know is still somebody who wrote: a signal without words. Raises StrangeItem for a wrong shape.
    """
    reader = _READERS.get(kind)
    if reader is None:
        return Said(Subtype.UNSUPPORTED, notes=_unsupported(message, kind))
    return reader(message, kind, where)


def content_of(message: JsonObject, kind: str, where: str) -> JsonObject:
    """The part of a message that its type names; empty when it is missing. Raises StrangeItem when it is no object."""
    content = message.get(kind)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise StrangeItem(Quarantined.CONTENT_NOT_OBJECT, f"{where}.{kind}")
    return content


def _text(message: JsonObject, kind: str, where: str) -> Said | Ignored:
    return _words(Subtype.TEXT, content_of(message, kind, where), "body", f"{where}.{kind}")


def _media(message: JsonObject, kind: str, where: str) -> Said:
    content = content_of(message, kind, where)
    subtype, shown_as = _MEDIA[kind]
    attachment: JsonObject = {
        "type": shown_as,
        **_noted("media_id", decorative_id(content.get("id"))),
        **_noted("url", media_url(content.get("url"))),
        **_noted("mime_type", detail(content.get("mime_type"))),
        **_noted("filename", detail(content.get("filename"))),
    }
    return Said(subtype, _written(content, "caption", f"{where}.{kind}"), {"attachments": [attachment]})


def _location(message: JsonObject, kind: str, where: str) -> Said:
    content = content_of(message, kind, where)
    attachment: JsonObject = {
        "type": "location",
        **_noted("latitude", _number(content.get("latitude"))),
        **_noted("longitude", _number(content.get("longitude"))),
        **_noted("name", detail(content.get("name"))),
        **_noted("address", detail(content.get("address"))),
    }
    return Said(Subtype.LOCATION, notes={"attachments": [attachment]})


def _contacts(message: JsonObject, kind: str, where: str) -> Said:
    contacts = message.get(kind)
    if contacts is None:
        contacts = []
    if not isinstance(contacts, list):
        raise StrangeItem(Quarantined.CONTACTS_NOT_LIST, f"{where}.{kind}")
    cards = [_card(contact) for contact in contacts[:_MOST_CONTACTS]]
    return Said(Subtype.CONTACTS, notes={"attachments": cards or [{"type": "contact"}]})


def _card(contact: JsonValue) -> JsonValue:
    if not isinstance(contact, dict):
        return {"type": "contact"}
    name, listed = contact.get("name"), contact.get("phones")
    phones: list[JsonValue] = [
        number
        for phone in (listed[:_MOST_PHONES] if isinstance(listed, list) else [])
        if isinstance(phone, dict) and (number := detail(phone.get("phone")))
    ]
    return {
        "type": "contact",
        **_noted("name", detail(name.get("formatted_name")) if isinstance(name, dict) else None),
        **_noted("phones", phones),
    }


def _button(message: JsonObject, kind: str, where: str) -> Said | Ignored:
    content = content_of(message, kind, where)
    return _words(Subtype.BUTTON, content, "text", f"{where}.{kind}", _noted("payload", detail(content.get("payload"))))


def _interactive(message: JsonObject, kind: str, where: str) -> Said | Ignored:
    content = content_of(message, kind, where)
    answer_kind, where = content.get("type"), f"{where}.{kind}"
    if answer_kind == "call_permission_reply":
        return Ignored.CALL_PERMISSION
    if answer_kind == "nfm_reply":
        return _flow_form(content_of(content, "nfm_reply", where), f"{where}.nfm_reply")
    if not isinstance(answer_kind, str) or answer_kind not in _TAPPED:
        return Said(Subtype.UNSUPPORTED, notes=_noted("message_type", detail(answer_kind)))
    answer = content_of(content, answer_kind, where)
    notes = {**_noted("payload", detail(answer.get("id"))), **_noted("description", detail(answer.get("description")))}
    return _words(_TAPPED[answer_kind], answer, "title", f"{where}.{answer_kind}", notes)


def _flow_form(reply: JsonObject, where: str) -> Said:
    notes = {**flow_answers(reply.get("response_json")), **_noted("flow_name", detail(reply.get("name")))}
    return Said(Subtype.FLOW_FORM, _written(reply, "body", where), notes)


def _order(message: JsonObject, kind: str, where: str) -> Said:
    order = content_of(message, kind, where)
    listed = order.get("product_items")
    items: list[JsonValue] = [
        _product(item) for item in (listed[:_MOST_PRODUCTS] if isinstance(listed, list) else []) if isinstance(item, dict)
    ]
    told: JsonObject = {**_noted("catalog_id", decorative_id(order.get("catalog_id"))), "items": items}
    return Said(Subtype.ORDER, _written(order, "text", f"{where}.{kind}"), {"order": told})


def _product(item: JsonObject) -> JsonObject:
    return {
        **_noted("product_id", decorative_id(item.get("product_retailer_id"))),
        **_noted("quantity", _number(item.get("quantity"))),
        **_noted("item_price", _number(item.get("item_price"))),
        **_noted("currency", detail(item.get("currency"))),
    }


def _unsupported(message: JsonObject, kind: str) -> JsonObject:
    told = message.get("unsupported")
    named = detail(told.get("type")) if isinstance(told, dict) else None
    return _noted("message_type", named or (None if kind == "unsupported" else detail(kind)))


def _words(subtype: Subtype, holder: JsonObject, key: str, where: str, notes: Mapping[str, JsonValue] | None = None) -> Said | Ignored:
    written = _written(holder, key, where)
    return Said(subtype, written, notes or {}) if written.text.strip() else Ignored.MESSAGE_EMPTY


def _written(holder: JsonObject, key: str, where: str) -> SpokenText:
    value = holder.get(key)
    if value is None:
        return SpokenText("")
    if not isinstance(value, str):
        raise StrangeItem(Quarantined.TEXT_NOT_TEXT, f"{where}.{key}")
    return spoken_text(value)


def _noted(name: str, value: JsonValue) -> JsonObject:
    return {} if value is None or value == [] else {name: value}


def _number(value: JsonValue) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


_MEDIA = {
    "image": (Subtype.IMAGE, "image"),
    "video": (Subtype.VIDEO, "video"),
    "document": (Subtype.DOCUMENT, "file"),
    "audio": (Subtype.AUDIO, "audio"),
    "voice": (Subtype.AUDIO, "audio"),
    "sticker": (Subtype.STICKER, "sticker"),
}
_TAPPED = {"button_reply": Subtype.BUTTON, "list_reply": Subtype.LIST_REPLY}
_READERS: Mapping[str, Callable[[JsonObject, str, str], Said | Ignored]] = {
    "text": _text,
    **dict.fromkeys(_MEDIA, _media),
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
}
