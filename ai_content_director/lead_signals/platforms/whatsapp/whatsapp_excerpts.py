"""The part of a delivery that is about some of its phone numbers: nobody's copy ever holds messages to somebody else's number."""

from collections.abc import Iterator, Mapping

import orjson

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.adapter import Owner
from lead_signals.platforms.external_id import LONGEST_ID_CHARACTERS
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.whatsapp.change_items import phone_number_of
from lead_signals.platforms.whatsapp.item_count import OBJECT

_FRAME = ("id", "time")


def whatsapp_excerpts(body: JsonObject, owner_of: Mapping[str | None, Owner]) -> dict[Owner, bytes]:
    """For each owner of a phone number, those changes of the body that came through the owner's numbers, in their order.

    `owner_of` names the owner of each number of this delivery; under None stands who owns what names no number. A change lands
    once, whole. Of its entry only a short `id` and `time` go along, and of the body only `object`.
    """
    entries: dict[Owner, list[JsonValue]] = {owner: [] for owner in owner_of.values()}
    listed = body.get("entry")
    if body.get("object") not in (None, OBJECT) or not isinstance(listed, list):  # one item, which names no number
        return {owner: orjson.dumps(body if owner == owner_of.get(None) else {"entry": []}) for owner in entries}
    for entry in listed:
        for owner, part in _parts(entry, owner_of):
            entries[owner].append(part)
    said: JsonObject = {"object": OBJECT} if "object" in body else {}
    return {owner: orjson.dumps({**said, "entry": parts}) for owner, parts in entries.items()}


def _parts(entry: JsonValue, owner_of: Mapping[str | None, Owner]) -> Iterator[tuple[Owner, JsonValue]]:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(changes, list) or not changes:
        if None in owner_of:
            yield owner_of[None], entry
        return
    kept: dict[Owner, list[JsonValue]] = {}
    for change in changes:
        number = _number_named_by(change)
        if number in owner_of:
            kept.setdefault(owner_of[number], []).append(change)
    frame: JsonObject = {name: entry[name] for name in _FRAME if name in entry and _is_short(entry[name])}
    for owner, owned in kept.items():
        yield owner, {**frame, "changes": owned}


def _number_named_by(change: JsonValue) -> str | None:
    try:
        return phone_number_of(change, "")
    except StrangeItem:
        return None


def _is_short(value: JsonValue) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= LONGEST_ID_CHARACTERS)
