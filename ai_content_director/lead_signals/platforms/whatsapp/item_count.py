"""How many items a WhatsApp delivery holds, by the lengths of its lists alone: what is too much is refused before it is read."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.whatsapp.change_items import item_lists_of, phone_number_of

OBJECT = "whatsapp_business_account"


def holds_more_items_than(body: JsonObject, limit: int) -> bool:
    """Would `read_signals` find more than `limit` items? Stops at the first change too many."""
    entries = body.get("entry")
    if body.get("object") not in (None, OBJECT) or not isinstance(entries, list):
        return limit < 1  # quarantined or ignored as one item
    found = 0
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list) or not changes:
            found += 1
        else:
            for change in changes:
                found += _items_of_change(change)
                if found > limit:
                    return True
        if found > limit:
            return True
    return False


def _items_of_change(change: JsonValue) -> int:
    try:
        phone_number_of(change, "")
    except StrangeItem:  # quarantined as one
        return 1
    lists = item_lists_of(change).lists.values()
    return max(1, sum(len(items) if isinstance(items, list) else 1 for items in lists))
