"""The Facebook Page adapter: `object` is `page`, several entries, each with `changes`, `messaging`, `standby` or a mock comment.

Meta batches up to 1,000 items of several Pages into one POST, and one bad item must not cost its neighbours.
"""

from collections.abc import Iterator
from datetime import datetime

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import IgnoredItem, Outcome, QuarantinedItem, Reading
from lead_signals.platforms.meta.changes import read_change
from lead_signals.platforms.meta.item_count import holds_more_items_than
from lead_signals.platforms.meta.messaging import read_messaging, read_standby
from lead_signals.platforms.meta.mock import is_mock, read_mock
from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.meta.signature import verify_delivery
from lead_signals.platforms.read_one_item import ItemPlace, read_one_item
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason

_PLATFORM = "facebook"
_LISTS = (
    ("changes", read_change, Quarantined.CHANGES_NOT_LIST),
    ("messaging", read_messaging, Quarantined.MESSAGING_NOT_LIST),
    ("standby", read_standby, Quarantined.STANDBY_NOT_LIST),
)


def read_signals(body: JsonObject, now: datetime) -> Reading:
    """What a Page delivery says. An absent `object` is read as `page`: relays and hand-made calls leave it out. Raises nothing."""
    return Reading.of(_outcomes(body, now))


def _outcomes(body: JsonObject, now: datetime) -> Iterator[Outcome]:
    spoken_by, entries = body.get("object"), body.get("entry")
    if spoken_by is not None and not isinstance(spoken_by, str):
        yield QuarantinedItem(Quarantined.OBJECT_NOT_TEXT, body, None, "object")
    elif spoken_by not in {None, "page"}:
        yield IgnoredItem(Ignored.UNKNOWN_OBJECT, None)
    elif entries is None:
        yield QuarantinedItem(Quarantined.ENTRY_MISSING, body, None, "entry")
    elif not isinstance(entries, list):
        yield QuarantinedItem(Quarantined.ENTRY_NOT_LIST, body, None, "entry")
    else:
        for index, entry in enumerate(entries):
            yield from _outcomes_of_entry(entry, f"entry[{index}]", now)


def _outcomes_of_entry(entry: JsonValue, where: str, now: datetime) -> Iterator[Outcome]:
    if not isinstance(entry, dict):
        yield QuarantinedItem(Quarantined.ENTRY_NOT_OBJECT, entry, None, where)
        return
    try:
        page_id = external_id(entry.get("id"), f"{where}.id")
    except StrangeItem as strange:  # nobody can say whose the items are, so the entry goes as one
        yield QuarantinedItem(strange.reason, entry, None, strange.where)
        return
    is_empty = True
    for outcome in _outcomes_within(entry, page_id, where, now):
        is_empty = False
        yield outcome
    if is_empty:
        yield IgnoredItem(Ignored.EMPTY_ENTRY, page_id)


def _outcomes_within(entry: JsonObject, page_id: str | None, where: str, now: datetime) -> Iterator[Outcome]:
    if is_mock(entry):
        yield read_one_item(read_mock, entry, ItemPlace(_PLATFORM, page_id, where, now))
    for name, read, not_a_list in _LISTS:
        items = entry.get(name)
        if items is None:
            continue
        if not isinstance(items, list):
            yield QuarantinedItem(not_a_list, items, page_id, f"{where}.{name}")
            continue
        for index, item in enumerate(items):
            yield read_one_item(read, item, ItemPlace(_PLATFORM, page_id, f"{where}.{name}[{index}]", now))


FACEBOOK_PAGE = Adapter(
    platform=_PLATFORM,
    verify=verify_delivery,
    holds_more_items_than=holds_more_items_than,
    read_signals=read_signals,
    source_subtypes=frozenset(Subtype),
    ignored_reasons=frozenset(Ignored),
    quarantine_reasons=frozenset(Quarantined) | frozenset(StrangeReason),
)
