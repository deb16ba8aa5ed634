"""Keep the envelopes: each delivery's raw bytes with the count of what became of its items, and what could not be read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from lead_signals.database.insert_rows import insert_rows
from lead_signals.database.new_id import new_id
from lead_signals.intake.admission import Admission
from lead_signals.intake.receipt import quarantined_items, receipts
from lead_signals.intake.route_delivery import RoutedPart
from lead_signals.json_body import JsonValue
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class Envelope:
    """One tenant's part of one delivery, and what became of it."""

    platform: str
    signed: bool
    part: RoutedPart
    admission: Admission


async def write_receipts(session: TenantSession, envelopes: Sequence[Envelope]) -> None:
    """Write receipts and quarantined items, in the transaction of what was read from them."""
    await insert_rows(session, receipts, [_receipt(envelope) for envelope in envelopes])
    strange = [
        {
            "tenant_id": envelope.part.tenant_id,
            "id": new_id(),
            "receipt_id": envelope.part.prepared.receipt_id,
            "reason": item.reason,
            "item": _as_json(item.item),
        }
        for envelope in envelopes
        for item in envelope.part.prepared.quarantined
    ]
    await insert_rows(session, quarantined_items, strange)


def _receipt(envelope: Envelope) -> dict[str, object]:
    part, admission = envelope.part, envelope.admission
    return {
        "tenant_id": part.tenant_id,
        "id": part.prepared.receipt_id,
        "platform": envelope.platform,
        "tenant_id_source": part.tenant_id_source.value,
        "signed": envelope.signed,
        "body": part.body,
        "body_is_excerpt": part.body_is_excerpt,
        "channels": [channel for channel in part.prepared.channels if channel is not None],
        "items_received": part.prepared.items_received,
        "items_created": admission.created,
        "items_updated": admission.updated,
        "items_duplicate": admission.duplicate,
        "items_ignored": admission.ignored.total(),
        "items_quarantined": admission.quarantined.total(),
        "ignored_reasons": dict(admission.ignored),
    }


def _as_json(item: JsonValue) -> bytes:
    try:
        return orjson.dumps(item)
    except TypeError:  # half of a surrogate pair, which UTF-8 cannot hold: quarantine is where such things must fit
        return json.dumps(item, ensure_ascii=True).encode("ascii")
