"""The TikTok adapter: a delivery is one event of one business account (`user_openid`), and the account is the channel."""

from datetime import datetime

from lead_signals.json_body import JsonObject
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import Outcome, QuarantinedItem, Reading
from lead_signals.platforms.read_one_item import ItemPlace, read_one_item
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason
from lead_signals.platforms.tiktok.event import read_event
from lead_signals.platforms.tiktok.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.tiktok.signature import SIGNATURE_FORM, SIGNATURE_HEADER_NAME, verify_delivery

_PLATFORM = "tiktok"


def read_signals(body: JsonObject, now: datetime) -> Reading:
    """What a delivery says: one item, whatever it is. Raises nothing."""
    return Reading.of([_outcome(body, now)])


def _outcome(body: JsonObject, now: datetime) -> Outcome:
    try:
        account_id = external_id(body.get("user_openid"), "user_openid")
    except StrangeItem as strange:  # nobody can say whose it is
        return QuarantinedItem(strange.reason, body, None, strange.where)
    place = ItemPlace(_PLATFORM, account_id, "body", now, said_at(body.get("create_time"), now).moment)
    return read_one_item(lambda _, where: read_event(body, where), body, place)


def holds_more_items_than(body: JsonObject, limit: int) -> bool:
    """TikTok does not batch: every body is one item."""
    del body
    return limit < 1


TIKTOK_BUSINESS_ACCOUNT = Adapter(
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
