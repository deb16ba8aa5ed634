"""The WhatsApp adapter: accounts (`entry`), their `changes`, and in each the lists of messages and of what is about messages.

One POST may carry several phone numbers of several tenants, and one bad item must not cost its neighbours.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.inbound_signal import IgnoredItem, Outcome, QuarantinedItem, Reading, Understood
from lead_signals.platforms.meta.signature import SIGNATURE_FORM, SIGNATURE_HEADER_NAME, verify_delivery
from lead_signals.platforms.read_one_item import ItemPlace, ItemReader, read_one_item
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason
from lead_signals.platforms.whatsapp.change_items import STANDBY, ItemLists, item_lists_of, phone_number_of
from lead_signals.platforms.whatsapp.contacts import contacts_of
from lead_signals.platforms.whatsapp.item_count import OBJECT, holds_more_items_than
from lead_signals.platforms.whatsapp.message import read_message
from lead_signals.platforms.whatsapp.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.whatsapp.whatsapp_excerpts import whatsapp_excerpts

_PLATFORM = "whatsapp"
_NOT_A_LIST = {
    "messages": Quarantined.MESSAGES_NOT_LIST,
    "statuses": Quarantined.STATUSES_NOT_LIST,
    "message_echoes": Quarantined.MESSAGE_ECHOES_NOT_LIST,
    "errors": Quarantined.ERRORS_NOT_LIST,
}
_NOBODY_SPOKE = {"statuses": Ignored.STATUS, "message_echoes": Ignored.ECHO, "errors": Ignored.PLATFORM_ERROR}
_FIELDS_READ = frozenset({"messages", "smb_message_echoes", STANDBY})


def read_signals(body: JsonObject, now: datetime) -> Reading:
    """What a WhatsApp delivery says. An absent `object` is read as WhatsApp's: relays leave it out. Raises nothing."""
    return Reading.of(_outcomes(body, now))


def _outcomes(body: JsonObject, now: datetime) -> Iterator[Outcome]:
    spoken_by, entries = body.get("object"), body.get("entry")
    if spoken_by is not None and not isinstance(spoken_by, str):
        yield QuarantinedItem(Quarantined.OBJECT_NOT_TEXT, body, None, "object")
    elif spoken_by not in {None, OBJECT}:
        yield IgnoredItem(Ignored.UNKNOWN_OBJECT, None)
    elif entries is None:
        yield QuarantinedItem(Quarantined.ENTRY_MISSING, body, None, "entry")
    elif not isinstance(entries, list):
        yield QuarantinedItem(Quarantined.ENTRY_NOT_LIST, body, None, "entry")
    else:
        for index, entry in enumerate(entries):
            yield from _outcomes_of_entry(entry, f"entry[{index}]", now)


def _outcomes_of_entry(entry: JsonValue, where: str, now: datetime) -> Iterator[Outcome]:
    # `entry.id` is the account, which may hold numbers of several tenants: it chooses nothing and is not read.
    if not isinstance(entry, dict):
        yield QuarantinedItem(Quarantined.ENTRY_NOT_OBJECT, entry, None, where)
        return
    changes = entry.get("changes")
    if changes is not None and not isinstance(changes, list):
        yield QuarantinedItem(Quarantined.CHANGES_NOT_LIST, changes, None, f"{where}.changes")
        return
    if not changes:
        yield IgnoredItem(Ignored.EMPTY_ENTRY, None)
        return
    sent_at = said_at(entry.get("time"), now).moment
    for index, change in enumerate(changes):
        yield from _outcomes_of_change(change, f"{where}.changes[{index}]", now, sent_at)


def _outcomes_of_change(change: JsonValue, where: str, now: datetime, sent_at: datetime | None) -> Iterator[Outcome]:
    try:
        phone_number_id = phone_number_of(change, where)
    except StrangeItem as strange:  # nobody can say whose the items are, so the change goes as one
        yield QuarantinedItem(strange.reason, change, None, strange.where)
        return
    items, is_empty = item_lists_of(change), True
    for name, read in _readers(change, items):
        listed, place = items.lists[name], f"{where}.{items.where}.{name}"
        if not isinstance(listed, list):
            is_empty = False
            yield QuarantinedItem(_NOT_A_LIST[name], listed, phone_number_id, place)
            continue
        for index, item in enumerate(listed):
            is_empty = False
            yield read_one_item(read, item, ItemPlace(_PLATFORM, phone_number_id, f"{place}[{index}]", now, sent_at))
    if is_empty:
        yield read_one_item(_read_change_without_items, change, ItemPlace(_PLATFORM, phone_number_id, where, now, sent_at))


def _readers(change: JsonValue, items: ItemLists) -> Iterator[tuple[str, ItemReader]]:
    value = change.get("value") if isinstance(change, dict) else None
    for name in items.lists:
        if name in _NOBODY_SPOKE:
            yield name, partial(_read_nobody_spoke, reason=_NOBODY_SPOKE[name])
        elif isinstance(value, dict):
            yield name, partial(read_message, contacts=contacts_of(value, items), is_standby=items.is_standby)


def _read_nobody_spoke(item: JsonValue, place: ItemPlace, reason: Ignored) -> Understood:
    if not isinstance(item, dict):
        raise StrangeItem(Quarantined.ITEM_NOT_OBJECT, place.where)
    return place.ignored(reason)


def _read_change_without_items(change: JsonValue, place: ItemPlace) -> Understood:
    if not isinstance(change, dict):
        raise StrangeItem(Quarantined.CHANGE_NOT_OBJECT, place.where)
    field = change.get("field")
    if field is None:
        raise StrangeItem(Quarantined.FIELD_MISSING, f"{place.where}.field")
    if not isinstance(field, str):
        raise StrangeItem(Quarantined.FIELD_NOT_TEXT, f"{place.where}.field")
    if field not in _FIELDS_READ:  # before its value is looked at: news of the account, its templates, its groups
        return place.ignored(Ignored.UNKNOWN_FIELD)
    value = change.get("value")
    if value is None:
        raise StrangeItem(Quarantined.VALUE_MISSING, f"{place.where}.value")
    if not isinstance(value, dict):
        raise StrangeItem(Quarantined.VALUE_NOT_OBJECT, f"{place.where}.value")
    if field == STANDBY and value.get(STANDBY) is not None and not isinstance(value[STANDBY], dict):
        raise StrangeItem(Quarantined.STANDBY_NOT_OBJECT, f"{place.where}.value.{STANDBY}")
    return place.ignored(Ignored.EMPTY_CHANGE)


WHATSAPP = Adapter(
    platform=_PLATFORM,
    verify=verify_delivery,
    holds_more_items_than=holds_more_items_than,
    read_signals=read_signals,
    excerpts=whatsapp_excerpts,
    signature_header=SIGNATURE_HEADER_NAME,
    signature_form=SIGNATURE_FORM,
    answers_handshake=True,
    source_subtypes=frozenset(Subtype),
    ignored_reasons=frozenset(Ignored),
    quarantine_reasons=frozenset(Quarantined) | frozenset(StrangeReason),
)
