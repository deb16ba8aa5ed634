"""The Facebook Page adapter: `object` is `page`, several entries, each with `changes`, `messaging`, `standby` or a mock comment."""

from datetime import datetime
from functools import partial

from lead_signals.json_body import JsonObject
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.platforms.meta.changes import read_change
from lead_signals.platforms.meta.entries import Envelope, read_entries
from lead_signals.platforms.meta.item_count import holds_more_items_than
from lead_signals.platforms.meta.messaging import read_messaging, read_standby
from lead_signals.platforms.meta.mock import is_mock, read_mock
from lead_signals.platforms.meta.page_excerpts import page_excerpts
from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.meta.signature import SIGNATURE_FORM, SIGNATURE_HEADER_NAME, verify_delivery
from lead_signals.platforms.strange_item import StrangeReason

_PAGE = Envelope(
    platform="facebook",
    object="page",
    readers={"changes": read_change, "messaging": read_messaging, "standby": read_standby},
    is_item=is_mock,
    read_item=read_mock,
)


def read_signals(body: JsonObject, now: datetime) -> Reading:
    """What a Page delivery says. Raises nothing."""
    return read_entries(body, now, _PAGE)


FACEBOOK_PAGE = Adapter(
    platform=_PAGE.platform,
    verify=verify_delivery,
    holds_more_items_than=partial(holds_more_items_than, envelope=_PAGE),
    read_signals=read_signals,
    excerpts=page_excerpts,
    signature_header=SIGNATURE_HEADER_NAME,
    signature_form=SIGNATURE_FORM,
    answers_handshake=True,
    source_subtypes=frozenset(Subtype),
    ignored_reasons=frozenset(Ignored),
    quarantine_reasons=frozenset(Quarantined) | frozenset(StrangeReason),
)
