"""The part of a delivery that is about some of its accounts: nobody's copy ever holds messages to somebody else's Page."""

from collections.abc import Iterable, Mapping

import orjson

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.adapter import Owner
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.meta.entries import NOT_A_LIST
from lead_signals.platforms.strange_item import StrangeItem


def page_excerpts(body: JsonObject, owner_of: Mapping[str | None, Owner]) -> dict[Owner, bytes]:
    """For each owner of a Page, `object` and only those entries of the body that came through the owner's Pages.

    `owner_of` names the owner of each Page of this delivery; under None stands who owns what names no Page. Each entry is
    looked at once, each item lands once, and no other key of the body is copied: the excerpts together are hardly larger than the body.
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
    """Without an id on the entry (relays forget it) each item goes to the Page it names itself, the rest to who owns the nameless."""
    parts: dict[Owner, JsonObject] = {}
    lists: JsonObject = {name: entry[name] for name in NOT_A_LIST if isinstance(entry.get(name), list)}
    rest = _known(_page_named_in(entry.get("value")), owner_of)  # a change written flat on the entry
    if rest in owner_of:
        parts[owner_of[rest]] = {name: [] if name in lists else value for name, value in entry.items()}
    for name, items in lists.items():
        for item in items if isinstance(items, list) else []:
            page = _known(_page_of_item(item), owner_of)
            if page in owner_of:
                kept = parts.setdefault(owner_of[page], _time_of(entry)).setdefault(name, [])
                if isinstance(kept, list):
                    kept.append(item)
    return parts


def _time_of(entry: JsonObject) -> JsonObject:
    # The time of sending orders changes that have none of their own, so each part keeps it. A long one is no time, and not copied.
    time = entry.get("time")
    return {"time": time} if isinstance(time, int | float) or (isinstance(time, str) and len(time) <= 40) else {}


def _known(page: str | None, owner_of: Mapping[str | None, Owner]) -> str | None:
    return page if page in owner_of else None


def _page_of_item(item: JsonValue) -> str | None:
    return (_page_written_to(item) or _page_named_in(item.get("value"))) if isinstance(item, dict) else None


def _page_written_to(event: JsonObject) -> str | None:
    recipient = event.get("recipient")
    return _page_named_by(recipient) if isinstance(recipient, dict) else None


def _page_named_in(value: JsonValue) -> str | None:
    """The Page that the value of a change names: a lead form its `page_id`, an event of a conversation its recipient."""
    if not isinstance(value, dict):
        return None
    return decorative_id(value.get("page_id")) if "leadgen_id" in value else _page_written_to(value)


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
