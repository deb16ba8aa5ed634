"""What a change holds: the business phone number it is about, and the lists whose elements are its items."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.whatsapp.reasons import Quarantined

ITEM_LISTS = ("messages", "statuses", "message_echoes", "errors")
STANDBY = "standby"  # another app (Meta's own agent) answers, we only listen: the same lists, one level deeper
_FIELDS_OF_LISTS = frozenset({"messages", "smb_message_echoes"})


@dataclass(frozen=True, slots=True)
class ItemLists:
    """The lists of a change by their name, `where` they lie within it; no lists when the change itself is the one item."""

    lists: Mapping[str, JsonValue] = field(default_factory=dict)
    where: str = "value"
    is_standby: bool = False


def phone_number_of(change: JsonValue, where: str) -> str | None:
    """The `phone_number_id` that a change names; None when it names none, as what is about the whole account.

    Raises StrangeItem when it cannot be read: nobody can say then whose words these are.
    """
    value = change.get("value") if isinstance(change, dict) else None
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise StrangeItem(Quarantined.METADATA_NOT_OBJECT, f"{where}.value.metadata")
    return external_id(metadata.get("phone_number_id"), f"{where}.value.metadata.phone_number_id")


def item_lists_of(change: JsonValue) -> ItemLists:
    """Where the items of a change are. Relays forward a value and forget its `field`: a value with lists is read without one."""
    value = change.get("value") if isinstance(change, dict) else None
    if not isinstance(change, dict) or not isinstance(value, dict):
        return ItemLists()
    kind = change.get("field")
    if kind == STANDBY:
        return ItemLists(_lists_in(value.get(STANDBY)), f"value.{STANDBY}", is_standby=True)
    if kind is None or (isinstance(kind, str) and kind in _FIELDS_OF_LISTS):
        return ItemLists(_lists_in(value))
    return ItemLists()


def _lists_in(holder: JsonValue) -> JsonObject:
    return {name: holder[name] for name in ITEM_LISTS if holder.get(name) is not None} if isinstance(holder, dict) else {}
