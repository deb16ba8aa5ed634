"""How many items a delivery of Meta holds, by the lengths of its lists alone: what is too much is refused before it is read."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.meta.entries import NOT_A_LIST, Envelope
from lead_signals.platforms.strange_item import StrangeItem


def holds_more_items_than(body: JsonObject, limit: int, envelope: Envelope) -> bool:
    """Would `read_entries` find more than `limit` items? Stops at the first item too many: 350,000 entries fit into 1 MiB."""
    entries = body.get("entry")
    if body.get("object") not in (None, envelope.object) or not isinstance(entries, list):
        return limit < 1  # quarantined or ignored as one item
    found = 0
    for entry in entries:
        found += _items_of_entry(entry, envelope)
        if found > limit:
            return True
    return False


def _items_of_entry(entry: JsonValue, envelope: Envelope) -> int:
    if not isinstance(entry, dict):
        return 1
    try:
        external_id(entry.get("id"), "id")
    except StrangeItem:  # quarantined as one
        return 1
    lists = [entry[name] for name in NOT_A_LIST if entry.get(name) is not None]
    return max(1, int(envelope.is_item(entry)) + sum(len(items) if isinstance(items, list) else 1 for items in lists))
