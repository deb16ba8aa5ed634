"""The Instagram adapter: `object` is `instagram`; entries with `changes`, `messaging` or `standby`, or a change written flat on the entry.

Instagram says nothing when a comment is edited, removed or hidden, so only messages change.
"""

from datetime import datetime
from functools import partial

from lead_signals.json_body import JsonObject
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.platforms.meta.entries import Envelope, read_entries
from lead_signals.platforms.meta.instagram_changes import is_flat, read_instagram_change
from lead_signals.platforms.meta.instagram_direct import read_direct, read_direct_standby
from lead_signals.platforms.meta.instagram_reasons import IGNORED_REASONS, QUARANTINE_REASONS, SUBTYPES
from lead_signals.platforms.meta.item_count import holds_more_items_than
from lead_signals.platforms.meta.page_excerpts import page_excerpts
from lead_signals.platforms.meta.signature import SIGNATURE_FORM, SIGNATURE_HEADER_NAME, verify_delivery
from lead_signals.platforms.strange_item import StrangeReason

_INSTAGRAM = Envelope(
    platform="instagram",
    object="instagram",
    readers={"changes": read_instagram_change, "messaging": read_direct, "standby": read_direct_standby},
    is_item=is_flat,
    read_item=read_instagram_change,
)


def read_signals(body: JsonObject, now: datetime) -> Reading:
    """What an Instagram delivery says. Raises nothing."""
    return read_entries(body, now, _INSTAGRAM)


INSTAGRAM = Adapter(
    platform=_INSTAGRAM.platform,
    verify=verify_delivery,
    holds_more_items_than=partial(holds_more_items_than, envelope=_INSTAGRAM),
    read_signals=read_signals,
    excerpts=page_excerpts,
    signature_header=SIGNATURE_HEADER_NAME,
    signature_form=SIGNATURE_FORM,
    answers_handshake=True,
    source_subtypes=frozenset(SUBTYPES),
    ignored_reasons=frozenset(IGNORED_REASONS),
    quarantine_reasons=frozenset(QUARANTINE_REASONS) | frozenset(StrangeReason),
)
