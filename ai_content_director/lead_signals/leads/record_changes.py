"""Record changes: each fact about something said is kept once, whether its lead is there already or not."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from lead_signals.database.insert_rows import insert_rows
from lead_signals.database.new_id import new_id
from lead_signals.intent.verdict import Verdict
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead, said_at_of
from lead_signals.leads.message_change import ORIGINAL, MessageKey, message_changes
from lead_signals.platforms.inbound_signal import ChangeKind
from lead_signals.tenancy.tenant_session import TenantSession

_ONCE: Final = "ON CONFLICT (tenant_id, platform, external_message_id, fingerprint) DO NOTHING"


# Nobody edits a comment five hundred times, and Messenger allows five edits. Each change reads the whole history of its message again.
MOST_CHANGES = 500
MOST_REMOVALS = 20


@dataclass(frozen=True, slots=True)
class ChangeDraft:
    """A change about to be written down: what happened to which message, in which receipt it lies.

    `content_text` and `verdict` are there exactly when `kind` is an edit; the verdict is that of the new text.
    """

    receipt_id: UUID
    channel_external_id: str | None
    platform: str
    kind: ChangeKind
    external_message_id: str
    sequence: int
    changed_at: datetime | None
    content_text: str | None = None
    verdict: Verdict | None = None

    @property
    def message(self) -> MessageKey:
        """What it changes."""
        return self.platform, self.external_message_id


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """A draft and whether it was new; False when the same change was recorded before, or stands earlier in the same batch.

    `beyond_limit`: the message has MOST_CHANGES already, and this one was not kept.
    """

    draft: ChangeDraft
    is_new: bool
    beyond_limit: bool = False


async def record_changes(session: TenantSession, tenant_id: UUID, drafts: Sequence[ChangeDraft]) -> list[RecordedChange]:
    """Insert the drafts that are new; answer for each of them, in their order. Applies nothing: that is `apply_changes`.

    Call it under `hold_history(…, changing=True)`.
    """
    if not drafts:
        return []
    prepared = {new_id(): draft for draft in drafts}
    kept = await _within_limit(session, tenant_id, prepared)
    inserted = await insert_rows(
        session,
        message_changes,
        [_row(tenant_id, change_id, prepared[change_id]) for change_id in kept],
        on_conflict=_ONCE,
        returning=["id"],
    )
    new = {row.id for row in inserted}
    return [RecordedChange(draft, change_id in new, change_id not in kept) for change_id, draft in prepared.items()]


async def _within_limit(session: TenantSession, tenant_id: UUID, prepared: Mapping[UUID, ChangeDraft]) -> dict[UUID, None]:
    """The ids of those that their message has room for, in their order. A removal finds room always, or a flood of edits would hide it."""
    messages = sorted({draft.message for draft in prepared.values()})
    parameters = {"tenant_id": tenant_id, "platforms": [platform for platform, _ in messages], "ids": [of for _, of in messages]}
    known = Counter({(row.platform, row.external_message_id): row.known for row in await session.execute(_KNOWN, parameters)})
    kept: dict[UUID, None] = {}
    for change_id, draft in prepared.items():
        if known[draft.message] < MOST_CHANGES + (MOST_REMOVALS if draft.kind is ChangeKind.REMOVED else 0):
            known[draft.message] += 1
            kept[change_id] = None
    return kept


_KNOWN = text(
    """
    SELECT wanted.platform, wanted.external_message_id, c.known
    FROM unnest(CAST(:platforms AS text[]), CAST(:ids AS text[])) AS wanted (platform, external_message_id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS known FROM message_changes m
        WHERE m.tenant_id = :tenant_id AND m.platform = wanted.platform AND m.external_message_id = wanted.external_message_id
    ) AS c
    """
)


async def record_originals(session: TenantSession, tenant_id: UUID, leads: Sequence[Lead]) -> None:
    """Keep what these leads say, and what was read in it, before their first edit replaces it. Once for each: no edit loses it again."""
    await insert_rows(session, message_changes, [_original(tenant_id, lead) for lead in leads], on_conflict=_ONCE)


def _original(tenant_id: UUID, lead: Lead) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": new_id(),
        "platform": lead.platform,
        "external_message_id": lead.external_message_id,
        "kind": ORIGINAL,
        "sequence": 0,
        "changed_at": said_at_of(lead),
        "content_text": lead.content_text,
        "verdict": KeptVerdict.of_lead(lead).as_json(),
        "fingerprint": _digest([ORIGINAL]),
        "received_at": lead.created_at,
    }


def _row(tenant_id: UUID, change_id: UUID, draft: ChangeDraft) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": change_id,
        "platform": draft.platform,
        "external_message_id": draft.external_message_id,
        "kind": draft.kind.value,
        "sequence": draft.sequence,
        "changed_at": draft.changed_at,
        "content_text": draft.content_text,
        "verdict": None if draft.verdict is None else KeptVerdict.of(draft.verdict).as_json(),
        "fingerprint": fingerprint(draft),
        "receipt_id": draft.receipt_id,
    }


def fingerprint(draft: ChangeDraft) -> bytes:
    """By what a repeated delivery of the same change is known: SHA-256 of kind, sequence, time and text.

    A removal that is told again with another time is another fact: which of them holds is for the fold to say, not for who came first.
    """
    changed_at = None if draft.changed_at is None else draft.changed_at.astimezone(UTC).isoformat()
    return _digest([draft.kind.value, draft.sequence, changed_at, draft.content_text])


def _digest(told: list[Any]) -> bytes:
    return hashlib.sha256(json.dumps(told).encode()).digest()
