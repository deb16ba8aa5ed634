"""Prepare what a delivery says for writing: a verdict for each text, before any transaction is open."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from lead_signals.database.new_id import new_id
from lead_signals.intent.classify import classify
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.leads.record_changes import ChangeDraft
from lead_signals.log_context import get_logger
from lead_signals.platforms.inbound_signal import IgnoredItem, InboundChange, InboundSignal, QuarantinedItem, Reading

log = get_logger(__name__)

CLASSIFY_CRASHED = "classify_crashed"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A reading with its verdicts. Conservation holds here as in the reading: each item is in exactly one of the four.

    `receipt_id` is the id of the delivery's receipt; a delivery for several tenants has one receipt of that id with each of them.
    """

    receipt_id: UUID
    leads: tuple[LeadDraft, ...]
    changes: tuple[ChangeDraft, ...]
    ignored: tuple[IgnoredItem, ...]
    quarantined: tuple[QuarantinedItem, ...]

    @property
    def items_received(self) -> int:
        """How many items the delivery held."""
        return len(self.leads) + len(self.changes) + len(self.ignored) + len(self.quarantined)

    @property
    def channels(self) -> tuple[str | None, ...]:
        """The channels these items came through, each once; None stands for items that name none."""
        every_item: tuple[LeadDraft | ChangeDraft | IgnoredItem | QuarantinedItem, ...] = (
            *self.leads,
            *self.changes,
            *self.ignored,
            *self.quarantined,
        )
        return tuple(dict.fromkeys(item.channel_external_id for item in every_item))

    def for_channels(self, channels: Collection[str | None]) -> "Prepared":
        """The part that came through these channels, in its order: a delivery may carry several Pages of several tenants."""
        wanted = frozenset(channels)
        return Prepared(
            self.receipt_id,
            tuple(item for item in self.leads if item.channel_external_id in wanted),
            tuple(item for item in self.changes if item.channel_external_id in wanted),
            tuple(item for item in self.ignored if item.channel_external_id in wanted),
            tuple(item for item in self.quarantined if item.channel_external_id in wanted),
        )


def prepare(reading: Reading) -> Prepared:
    """Classify every text of a reading; an item that cannot even be classified goes to quarantine. Raises nothing."""
    receipt_id = new_id()
    leads: list[LeadDraft] = []
    changes: list[ChangeDraft] = []
    quarantined = list(reading.quarantined)
    for signal in reading.signals:
        try:
            leads.append(_lead(signal, receipt_id))
        except Exception as error:
            log.error(CLASSIFY_CRASHED, error=error.__class__.__name__)
            quarantined.append(quarantined_lead(signal, CLASSIFY_CRASHED))
    for change in reading.changes:
        try:
            changes.append(_change(change, receipt_id))
        except Exception as error:
            log.error(CLASSIFY_CRASHED, error=error.__class__.__name__)
            quarantined.append(quarantined_change(change, CLASSIFY_CRASHED))
    return Prepared(receipt_id, tuple(leads), tuple(changes), reading.ignored, tuple(quarantined))


def _lead(signal: InboundSignal, receipt_id: UUID) -> LeadDraft:
    said_at = {} if signal.said_at is None else {"said_at": signal.said_at.isoformat()}
    # Positional: a delivery may hold a thousand of these.
    return LeadDraft(
        receipt_id,
        signal.channel_external_id,
        signal.platform,
        signal.source_type.value,
        signal.source_subtype,
        signal.external_post_id,
        signal.external_thread_id,
        signal.external_message_id,
        signal.author_name,
        signal.author_id,
        signal.content_text,
        signal.permalink_url,
        classify(signal.content_text),
        {**signal.meta, **said_at},
    )


def _change(change: InboundChange, receipt_id: UUID) -> ChangeDraft:
    return ChangeDraft(
        receipt_id=receipt_id,
        channel_external_id=change.channel_external_id,
        platform=change.platform,
        kind=change.kind,
        external_message_id=change.external_message_id,
        sequence=change.sequence,
        changed_at=change.changed_at,
        content_text=change.content_text,
        verdict=None if change.content_text is None else classify(change.content_text),
    )


def quarantined_lead(lead: LeadDraft | InboundSignal, reason: str) -> QuarantinedItem:
    """A signal that could not be classified or written, as it is kept for a person to look at."""
    item = {
        "external_message_id": lead.external_message_id,
        "author_id": lead.author_id,
        "author_name": lead.author_name,
        "content_text": lead.content_text,
    }
    return QuarantinedItem(reason, dict(item), lead.channel_external_id)


def quarantined_change(change: ChangeDraft | InboundChange, reason: str) -> QuarantinedItem:
    """The same for a change of something said."""
    item = {"external_message_id": change.external_message_id, "kind": change.kind.value, "content_text": change.content_text}
    return QuarantinedItem(reason, dict(item), change.channel_external_id)
