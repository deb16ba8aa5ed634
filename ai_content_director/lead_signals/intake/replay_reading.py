"""Read a stored receipt again: its raw bytes through the adapter and the rules of today. Pure: bytes in, drafts out, no database."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from lead_signals.intake.judge_again import judge_again
from lead_signals.intake.prepare import prepare
from lead_signals.intent.classify import classify
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.intent.verdict import Verdict
from lead_signals.json_body import MalformedBody, parse_json_body
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.leads.record_changes import ChangeDraft
from lead_signals.platforms.catalogue import ADAPTERS

Judge: TypeAlias = Callable[[str], Verdict]
"""The verdict on a text, by the rules of this replay."""


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt whose bytes are still there."""

    id: UUID
    platform: str
    received_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class ReceiptReadAgain:
    """What a receipt says today. `receipt_id` of its drafts is the receipt's own. `is_readable`: false when nothing could be made of it."""

    id: UUID
    received_at: datetime
    leads: tuple[LeadDraft, ...] = ()
    changes: tuple[ChangeDraft, ...] = ()
    items_received: int = 0
    is_readable: bool = True


def judge_by(rule_pack: RulePack | None) -> Judge:
    """Verdicts by this pack; None = the packaged rules."""
    return lambda text: classify(text, rule_pack)


def read_receipt_again(receipt: KeptReceipt, rule_pack: RulePack | None) -> ReceiptReadAgain:
    """The receipt as the door would read it today, with verdicts by `rule_pack` (None = the packaged rules). Raises nothing of a body.

    "Now" is when it was received: a time that lay in the future then is no better for having come.
    """
    adapter = ADAPTERS.get(receipt.platform)
    try:
        body = parse_json_body(receipt.body)
    except MalformedBody:
        adapter = None
    if adapter is None:
        return ReceiptReadAgain(receipt.id, receipt.received_at, is_readable=False)
    prepared = prepare(adapter.read_signals(body, receipt.received_at))
    if rule_pack is not None:
        prepared = judge_again(prepared, rule_pack)
    leads = tuple(replace(draft, receipt_id=receipt.id) for draft in prepared.leads)
    changes = tuple(replace(draft, receipt_id=receipt.id) for draft in prepared.changes)
    return ReceiptReadAgain(receipt.id, receipt.received_at, leads, changes, prepared.items_received)
