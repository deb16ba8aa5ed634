"""The Zalo adapter: a delivery is one event of one Official Account (OA), and the OA is the channel."""

from datetime import datetime

from lead_signals.json_body import JsonObject
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.inbound_signal import Outcome, QuarantinedItem, Reading
from lead_signals.platforms.read_one_item import ItemPlace, read_one_item
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason
from lead_signals.platforms.zalo.event import read_event
from lead_signals.platforms.zalo.parties import official_account_of
from lead_signals.platforms.zalo.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.zalo.signature import SIGNATURE_FORM, SIGNATURE_HEADER_NAME, verify_delivery

_PLATFORM = "zalo"


def read_signals(body: JsonObject, now: datetime) -> Reading:
    """What a delivery says: one item, whatever it is. Raises nothing."""
    return Reading.of([_outcome(body, now)])


def _outcome(body: JsonObject, now: datetime) -> Outcome:
    try:
        oa_id = official_account_of(body)
    except StrangeItem as strange:  # nobody can say whose it is
        return QuarantinedItem(strange.reason, body, None, strange.where)
    place = ItemPlace(_PLATFORM, oa_id, "body", now, said_at(body.get("timestamp"), now).moment)
    return read_one_item(lambda _, where: read_event(body, where), body, place)


def holds_more_items_than(body: JsonObject, limit: int) -> bool:
    """Zalo does not batch: every body is one item."""
    del body
    return limit < 1


ZALO_OFFICIAL_ACCOUNT = Adapter(
    platform=_PLATFORM,
    verify=verify_delivery,
    holds_more_items_than=holds_more_items_than,
    read_signals=read_signals,
    excerpts=None,
    signature_header=SIGNATURE_HEADER_NAME,
    signature_form=SIGNATURE_FORM,
    answers_handshake=False,
    source_subtypes=frozenset(Subtype),
    ignored_reasons=frozenset(Ignored),
    quarantine_reasons=frozenset(Quarantined) | frozenset(StrangeReason),
)
