"""The shape of an adapter: everything the door needs to know about a platform."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from lead_signals.json_body import JsonObject
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.platforms.signature_verdict import SignatureVerdict

HeaderPairs: TypeAlias = Iterable[tuple[bytes, bytes]]
"""Header names in lower case and their values, as raw bytes and with repetitions: what an ASGI scope calls `headers`."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One platform. All functions are pure, and none raises because of what a sender wrote.

    `verify(headers, raw_body, secrets, now)`: does one of the secrets prove who sent exactly these bytes?
    `holds_more_items_than(body, limit)`: would a reading of the body hold more items? Looks at no more than it needs to know.
    `read_signals(body, now)`: what the body says, each of its items in exactly one list of the reading.
    The sets close the vocabulary: what a reading may use as subtype and as reason, so that metric labels stay bounded.
    """

    platform: str
    verify: Callable[[HeaderPairs, bytes, Sequence[bytes], datetime], SignatureVerdict]
    holds_more_items_than: Callable[[JsonObject, int], bool]
    read_signals: Callable[[JsonObject, datetime], Reading]
    source_subtypes: frozenset[str]
    ignored_reasons: frozenset[str]
    quarantine_reasons: frozenset[str]
