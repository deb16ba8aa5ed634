"""What an adapter hands over: signals, changes, ignored items, quarantined items, and the reading that holds all four."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from lead_signals.json_body import JsonValue


class SourceType(StrEnum):
    """In which way somebody spoke; the same closed set for every platform."""

    COMMENT = "comment"
    MESSAGE = "message"
    POST = "post"
    MENTION = "mention"
    POSTBACK = "postback"
    LEAD_FORM = "lead_form"


@dataclass(frozen=True, slots=True)
class InboundSignal:
    """Somebody spoke to a channel.

    `external_message_id` identifies what was said on its platform: a repeated delivery carries the same one, two
    different sayings never do. None means that the platform gave nothing to recognise a repetition by.
    All ids are text. `content_text` and every text in `meta` are free of U+0000, so that PostgreSQL can hold them.
    """

    platform: str
    source_type: SourceType
    source_subtype: str
    channel_external_id: str | None
    external_message_id: str | None
    external_post_id: str | None
    external_thread_id: str | None
    author_id: str | None
    author_name: str | None
    content_text: str
    permalink_url: str | None
    said_at: datetime | None
    meta: Mapping[str, JsonValue]


class ChangeKind(StrEnum):
    """What can happen to something that was said; the same closed set for every platform."""

    EDITED = "edited"
    REMOVED = "removed"
    HIDDEN = "hidden"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class InboundChange:
    """Something said earlier was changed. It updates the lead that has this `external_message_id`, and never makes one.

    Changes arrive twice, out of order, and before what they change. `sequence` (Messenger counts the edits of a message; 0 when a
    platform does not count) and then `changed_at` say which of two came later in the person's life; both are the same in every
    redelivery as far as the platform allows. `content_text` is the new text of an edit, None for every other kind.
    """

    platform: str
    kind: ChangeKind
    channel_external_id: str | None
    external_message_id: str
    sequence: int
    changed_at: datetime | None
    content_text: str | None = None


@dataclass(frozen=True, slots=True)
class IgnoredItem:
    """An item that was understood and is no signal. `reason` is one of the adapter's closed set."""

    reason: str
    channel_external_id: str | None


@dataclass(frozen=True, slots=True)
class QuarantinedItem:
    """An item that could not be read. `reason` is one of a closed set, `where` its path in the body.

    `item` is exactly what came, U+0000 included (which `jsonb` refuses; `text_without_nul` shows how we replace it).
    """

    reason: str
    item: JsonValue
    channel_external_id: str | None
    where: str = ""


Understood: TypeAlias = InboundSignal | InboundChange | IgnoredItem
"""What a reader can make of an item that it trusts."""

Outcome: TypeAlias = Understood | QuarantinedItem


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one body held, in its order. Conservation: each item of the body is in exactly one of the four."""

    signals: tuple[InboundSignal, ...] = ()
    changes: tuple[InboundChange, ...] = ()
    ignored: tuple[IgnoredItem, ...] = ()
    quarantined: tuple[QuarantinedItem, ...] = ()

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Reading":
        """The reading of these outcomes, each put where it belongs."""
        signals: list[InboundSignal] = []
        changes: list[InboundChange] = []
        ignored: list[IgnoredItem] = []
        quarantined: list[QuarantinedItem] = []
        for outcome in outcomes:
            match outcome:
                case InboundSignal():
                    signals.append(outcome)
                case InboundChange():
                    changes.append(outcome)
                case IgnoredItem():
                    ignored.append(outcome)
                case QuarantinedItem():
                    quarantined.append(outcome)
        return cls(tuple(signals), tuple(changes), tuple(ignored), tuple(quarantined))

    @property
    def items_received(self) -> int:
        """How many items the body held."""
        return len(self.signals) + len(self.changes) + len(self.ignored) + len(self.quarantined)

    @property
    def channels(self) -> tuple[str | None, ...]:
        """The channels these items came through, each once; None stands for items that name none."""
        every_item: tuple[Outcome, ...] = (*self.signals, *self.changes, *self.ignored, *self.quarantined)
        return tuple(dict.fromkeys(item.channel_external_id for item in every_item))

    def for_channels(self, channels: Collection[str | None]) -> "Reading":
        """The part that came through these channels, in its order: a delivery may carry several Pages of several tenants."""
        wanted = frozenset(channels)
        return Reading(
            tuple(signal for signal in self.signals if signal.channel_external_id in wanted),
            tuple(change for change in self.changes if change.channel_external_id in wanted),
            tuple(item for item in self.ignored if item.channel_external_id in wanted),
            tuple(item for item in self.quarantined if item.channel_external_id in wanted),
        )
