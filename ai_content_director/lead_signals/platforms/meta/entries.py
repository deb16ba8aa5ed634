"""The envelope Meta puts around everything: an `object`, and a list of entries, each an account with lists of items.

Meta batches up to 1,000 items of several accounts into one POST, and one bad item must not cost its neighbours.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import IgnoredItem, Outcome, QuarantinedItem, Reading
from lead_signals.platforms.meta.reasons import Ignored, Quarantined
from lead_signals.platforms.read_one_item import ItemPlace, ItemReader, read_one_item
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem

NOT_A_LIST = {"changes": Quarantined.CHANGES_NOT_LIST, "messaging": Quarantined.MESSAGING_NOT_LIST, "standby": Quarantined.STANDBY_NOT_LIST}
"""The lists of items an entry may have, in the order they are read, and what to call one that is no list."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """How one `object` of Meta is packed.

    `readers` has one for each name of `NOT_A_LIST`. `is_item` says that an entry is an item itself, beside its lists: a mock comment,
    or a change written flat on the entry. `read_item` reads it.
    """

    platform: str
    object: str
    readers: Mapping[str, ItemReader]
    is_item: Callable[[JsonObject], bool]
    read_item: ItemReader


def read_entries(body: JsonObject, now: datetime, envelope: Envelope) -> Reading:
    """What a delivery says. An absent `object` is read as the envelope's own: relays and hand-made calls leave it out. Raises nothing."""
    return Reading.of(_outcomes(body, now, envelope))


def _outcomes(body: JsonObject, now: datetime, envelope: Envelope) -> Iterator[Outcome]:
    spoken_by, entries = body.get("object"), body.get("entry")
    if spoken_by is not None and not isinstance(spoken_by, str):
        yield QuarantinedItem(Quarantined.OBJECT_NOT_TEXT, body, None, "object")
    elif spoken_by not in {None, envelope.object}:
        yield IgnoredItem(Ignored.UNKNOWN_OBJECT, None)
    elif entries is None:
        yield QuarantinedItem(Quarantined.ENTRY_MISSING, body, None, "entry")
    elif not isinstance(entries, list):
        yield QuarantinedItem(Quarantined.ENTRY_NOT_LIST, body, None, "entry")
    else:
        for index, entry in enumerate(entries):
            yield from _outcomes_of_entry(entry, f"entry[{index}]", now, envelope)


def _outcomes_of_entry(entry: JsonValue, where: str, now: datetime, envelope: Envelope) -> Iterator[Outcome]:
    if not isinstance(entry, dict):
        yield QuarantinedItem(Quarantined.ENTRY_NOT_OBJECT, entry, None, where)
        return
    try:
        account_id = external_id(entry.get("id"), f"{where}.id")
    except StrangeItem as strange:  # nobody can say whose the items are, so the entry goes as one
        yield QuarantinedItem(strange.reason, entry, None, strange.where)
        return
    sent_at, is_empty = said_at(entry.get("time"), now).moment, True
    for outcome in _outcomes_within(entry, ItemPlace(envelope.platform, account_id, where, now, sent_at), envelope):
        is_empty = False
        yield outcome
    if is_empty:
        yield IgnoredItem(Ignored.EMPTY_ENTRY, account_id)


def _outcomes_within(entry: JsonObject, place: ItemPlace, envelope: Envelope) -> Iterator[Outcome]:
    if envelope.is_item(entry):
        yield read_one_item(envelope.read_item, entry, place)
    for name, not_a_list in NOT_A_LIST.items():
        items = entry.get(name)
        if items is None:
            continue
        if not isinstance(items, list):
            yield QuarantinedItem(not_a_list, items, place.channel_external_id, f"{place.where}.{name}")
            continue
        for index, item in enumerate(items):
            yield read_one_item(envelope.readers[name], item, replace(place, where=f"{place.where}.{name}[{index}]"))
