"""Read one item of a delivery so that whatever is wrong with it stays with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from traceback import extract_tb
from typing import TypeAlias

from lead_signals.json_body import JsonValue
from lead_signals.platforms.inbound_signal import ChangeKind, IgnoredItem, InboundChange, Outcome, QuarantinedItem, Understood
from lead_signals.platforms.strange_item import StrangeItem, StrangeReason


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """Where an item stands: its platform, the channel it came through, its path in the body, and the moment it is read.

    `sent_at` is when the platform says it sent the item. A redelivery may carry another one: it orders changes that have no time of
    their own, tells about when something was said where no other time is given, and identifies nothing.
    """

    platform: str
    channel_external_id: str | None
    where: str
    now: datetime
    sent_at: datetime | None = None

    def ignored(self, reason: StrEnum) -> IgnoredItem:
        """This item is no signal, for this reason."""
        return IgnoredItem(reason, self.channel_external_id)

    def change(
        self, kind: ChangeKind, external_message_id: str, changed_at: datetime | None, *, content_text: str | None = None, sequence: int = 0
    ) -> InboundChange:
        """This item changes what was said under that id."""
        moment = changed_at or self.sent_at
        return InboundChange(self.platform, kind, self.channel_external_id, external_message_id, sequence, moment, content_text)


ItemReader: TypeAlias = Callable[[JsonValue, ItemPlace], Understood]


def read_one_item(read: ItemReader, item: JsonValue, place: ItemPlace) -> Outcome:
    """What `read` made of the item; an item it stumbles over is quarantined. Raises nothing."""
    try:
        return read(item, place)
    except StrangeItem as strange:
        return QuarantinedItem(strange.reason, item, place.channel_external_id, strange.where)
    except Exception as error:  # a fault of ours must not make the platform redeliver the whole batch for days
        frame = extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        return QuarantinedItem(StrangeReason.READER_FAILED, item, place.channel_external_id, f"{place.where} ({fault})")
