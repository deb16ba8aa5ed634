"""The part of a delivery that is about some of its Pages: nobody's copy ever holds messages to somebody else's Page."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import orjson

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.strange_item import StrangeItem

Owner = TypeVar("Owner", bound=Hashable)

_CONVERSATIONS = ("messaging", "standby")


def excerpts(body: JsonObject, owner_of: Mapping[str | None, Owner]) -> dict[Owner, bytes]:
    """For each owner of a Page, `object` and only those entries of the body that came through the owner's Pages.

    `owner_of` names the owner of each Page of this delivery; under None stands who owns what names no Page. Each entry is
    looked at once and lands once, and no other key of the body is copied: the excerpts together are no larger than the body.
    """
    entries: dict[Owner, list[JsonValue]] = {owner: [] for owner in owner_of.values()}
    listed = body.get("entry")
    for entry in listed if isinstance(listed, list) else []:
        for owner, part in _parts(entry, owner_of):
            entries[owner].append(part)
    said: JsonObject = {"object": body["object"]} if "object" in body else {}
    return {owner: orjson.dumps({**said, "entry": parts}) for owner, parts in entries.items()}


def _parts(entry: JsonValue, owner_of: Mapping[str | None, Owner]) -> Iterable[tuple[Owner, JsonValue]]:
    if isinstance(entry, dict) and _names_no_page(entry):
        return _parts_by_recipient(entry, owner_of).items()
    page = _known(_page_named_by(entry) if isinstance(entry, dict) else None, owner_of)
    return [(owner_of[page], entry)] if page in owner_of else []


def _parts_by_recipient(entry: JsonObject, owner_of: Mapping[str | None, Owner]) -> dict[Owner, JsonObject]:
    """Without an id on the entry (relays forget it) each message goes to the Page it was sent to, the rest to who owns the nameless."""
    parts: dict[Owner, JsonObject] = {}
    conversations: JsonObject = {name: entry[name] for name in _CONVERSATIONS if isinstance(entry.get(name), list)}
    if None in owner_of:
        parts[owner_of[None]] = {name: [] if name in conversations else value for name, value in entry.items()}
    for name, items in conversations.items():
        for item in items if isinstance(items, list) else []:
            page = _known(_page_written_to(item), owner_of)
            if page in owner_of:
                kept = parts.setdefault(owner_of[page], {}).setdefault(name, [])
                if isinstance(kept, list):
                    kept.append(item)
    return parts


def _known(page: str | None, owner_of: Mapping[str | None, Owner]) -> str | None:
    return page if page in owner_of else None


def _page_written_to(item: JsonValue) -> str | None:
    recipient = item.get("recipient") if isinstance(item, dict) else None
    return _page_named_by(recipient) if isinstance(recipient, dict) else None


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
