"""The shape of an adapter: everything the door needs to know about a platform."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from lead_signals.json_body import JsonObject
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.platforms.signature_verdict import SignatureVerdict

HeaderPairs: TypeAlias = Iterable[tuple[bytes, bytes]]
"""Header names in lower case and their values, as raw bytes and with repetitions: what an ASGI scope calls `headers`."""


Owner: TypeAlias = UUID | str
"""Whose a channel is: a tenant, or the channel's own id when nobody has connected it."""

Excerpts: TypeAlias = Callable[[JsonObject, Mapping[str | None, Owner]], dict[Owner, bytes]]
"""For each owner of a channel, the part of a body that came through the owner's channels, as JSON. `None` owns what names none."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One platform. All functions are pure, and none raises because of what a sender wrote.

    `verify(headers, raw_body, secrets, now)`: does one of the secrets prove who sent exactly these bytes?
    `holds_more_items_than(body, limit)`: would a reading of the body hold more items? Looks at no more than it needs to know.
    `read_signals(body, now)`: what the body says, each of its items in exactly one list of the reading.
    `excerpts` cuts a body that came through channels of several owners, so that nobody keeps words said to somebody else; None
    where one delivery has one channel. `signature_header` and `signature_form` are for the sentence that refuses a sender, and
    `answers_handshake` says whether the platform asks Meta's question before it delivers.
    The sets close the vocabulary: what a reading may use as subtype and as reason, so that metric labels stay bounded.
    """

    platform: str
    verify: Callable[[HeaderPairs, bytes, Sequence[bytes], datetime], SignatureVerdict]
    holds_more_items_than: Callable[[JsonObject, int], bool]
    read_signals: Callable[[JsonObject, datetime], Reading]
    excerpts: Excerpts | None
    signature_header: str
    signature_form: str
    answers_handshake: bool
    source_subtypes: frozenset[str]
    ignored_reasons: frozenset[str]
    quarantine_reasons: frozenset[str]
