"""The part of a delivery that is about some of its Pages: one tenant's receipt never holds another tenant's messages."""

from collections.abc import Collection, Iterator

import orjson

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.strange_item import StrangeItem

_CONVERSATIONS = ("messaging", "standby")


def excerpt(body: JsonObject, pages: Collection[str | None], channels: Collection[str | None]) -> bytes:
    """The body with only what came through `pages`; None among them stands for what names no Page.

    `channels` are all Pages of this delivery: the excerpts of all of them together hold every entry.
    """
    entries = body.get("entry")
    listed = entries if isinstance(entries, list) else []
    return orjson.dumps({**body, "entry": [part for entry in listed for part in _parts(entry, pages, channels)]})


def _parts(entry: JsonValue, pages: Collection[str | None], channels: Collection[str | None]) -> Iterator[JsonValue]:
    page = _page_named_by(entry) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or page is not None or not _names_no_page(entry):
        if (page if page in channels else None) in pages:
            yield entry
        return
    # Without an id on the entry (relays forget it) each message goes to the Page it was sent to.
    part = {name: value for name, value in entry.items() if name in _CONVERSATIONS or None in pages}
    for name in _CONVERSATIONS:
        items = part.get(name)
        if isinstance(items, list):
            part[name] = [item for item in items if _page_written_to(item, channels) in pages]
        elif None not in pages:
            part.pop(name, None)
    if None in pages or any(part.values()):
        yield part


def _page_written_to(item: JsonValue, channels: Collection[str | None]) -> str | None:
    recipient = item.get("recipient") if isinstance(item, dict) else None
    page = _page_named_by(recipient) if isinstance(recipient, dict) else None
    return page if page in channels else None


def _names_no_page(entry: JsonObject) -> bool:
    try:
        return external_id(entry.get("id"), "id") is None
    except StrangeItem:
        return False


def _page_named_by(holder: JsonObject) -> str | None:
    try:
        return external_id(holder.get("id"), "id")
    except StrangeItem:
        return None
