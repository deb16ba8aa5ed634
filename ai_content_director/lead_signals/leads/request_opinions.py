"""Promise opinions, in the transaction of the leads they are about: a language model is asked later, by the worker."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lead_signals.database.insert_rows import insert_rows
from lead_signals.database.new_id import new_id
from lead_signals.database.wake_up import announce_due_work
from lead_signals.intent.verdict import IntentLabel
from lead_signals.leads.changed_lead import LANES
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.open_leads import OpenedLead
from lead_signals.leads.opinion_request import OPINION_WORK, opinion_requests
from lead_signals.platforms.inbound_signal import SourceType
from lead_signals.tenancy.tenant_session import TenantSession

# Somebody may write one thing, then another, then the first again: the question is owed once more, and mostly answered from memory.
_ONCE: Final = """ON CONFLICT (tenant_id, lead_id, text_sha256) DO UPDATE SET
    state = 'pending', failures = 0, attempts = 0, last_failure = NULL, intent_label = NULL, confidence_score = NULL, model = NULL,
    from_cache = false, applied = false, duration_ms = NULL, due_at = now(), finished_at = NULL, created_at = now()
    WHERE opinion_requests.finished_at IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class UnclearLead:
    """A lead that no rule understood, and the words it is about."""

    lead_id: UUID
    content_text: str


async def request_opinions(session: TenantSession, tenant_id: UUID, leads: Sequence[UnclearLead]) -> None:
    """Owe a question about each of these, one for each text of a lead, and wake the worker at commit. Without any it makes no statement.

    Call it after their leads are locked or new: the worker locks the lead first and then its request.
    """
    if not leads:
        return
    owed = await insert_rows(
        session,
        opinion_requests,
        [
            {"tenant_id": tenant_id, "id": new_id(), "lead_id": lead.lead_id, "text_sha256": text_sha256(lead.content_text)}
            for lead in leads
        ],
        on_conflict=_ONCE,
        returning=["id"],
    )
    if owed:
        await announce_due_work(session, OPINION_WORK)


def unclear_opened(lead: OpenedLead) -> UnclearLead | None:
    """The question about a lead that was just opened; None when there is nothing to ask."""
    draft, verdict = lead.draft, lead.draft.verdict
    if draft.source_type == SourceType.LEAD_FORM or draft.meta.get("field_data"):
        return None
    if not _is_unclear(verdict.intent_label, verdict.status, draft.content_text):
        return None
    return UnclearLead(lead.id, draft.content_text)


def unclear_lead(lead: Lead) -> UnclearLead | None:
    """The same about a lead as it is stored."""
    return UnclearLead(lead.id, lead.content_text) if is_askable(lead) else None


def is_askable(lead: Lead) -> bool:
    """Whether a model may be asked about this lead as it stands: nobody decided, nobody took it back, and the rules do not know."""
    if lead.source_type == SourceType.LEAD_FORM or lead.meta.get("field_data") or "removed_at" in lead.meta:
        return False
    return lead.status in LANES and _is_unclear(lead.intent_label, lead.status, lead.content_text)


def text_sha256(text: str) -> bytes:
    """By which a request knows the text it is about, without holding it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _is_unclear(intent_label: str, status: str, text: str) -> bool:
    return intent_label == IntentLabel.UNKNOWN and status != LeadStatus.NEW_AUTO and bool(text.strip())
