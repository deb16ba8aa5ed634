"""An urgent lead is owed a call: promise n8n its follow-up, in the transaction that opened the lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from lead_signals.followups.request import FollowUpRequest
from lead_signals.followups.request_follow_ups import request_follow_ups
from lead_signals.intent.verdict import Priority
from lead_signals.leads.open_leads import OpenedLead
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class FollowUpPolicy:
    """Whether somebody listens (WEBHOOK_URL is set), and where a person finds the lead (PUBLIC_BASE_URL)."""

    somebody_listens: bool
    console_base_url: str | None


async def promise_follow_ups(session: TenantSession, tenant_id: UUID, opened: Sequence[OpenedLead], policy: FollowUpPolicy) -> None:
    """Owe one follow-up for each lead of priority high; without a receiver nothing is owed."""
    if policy.somebody_listens:
        urgent = [lead for lead in opened if lead.draft.verdict.priority is Priority.HIGH]
        await request_follow_ups(session, tenant_id, [_request(tenant_id, lead, policy) for lead in urgent])


def _request(tenant_id: UUID, lead: OpenedLead, policy: FollowUpPolicy) -> FollowUpRequest:
    draft, verdict = lead.draft, lead.draft.verdict
    return FollowUpRequest(
        lead_id=lead.id,
        tenant_id=tenant_id,
        author_name=draft.author_name,
        author_id=draft.author_id,
        content_text=draft.content_text,
        intent_label=verdict.intent_label.value,
        priority=verdict.priority.value,
        confidence_score=verdict.confidence_score,
        status=verdict.status,
        platform=draft.platform,
        source_type=draft.source_type,
        external_post_id=draft.external_post_id,
        external_message_id=draft.external_message_id,
        permalink_url=draft.permalink_url,
        phones=verdict.phones,
        emails=verdict.emails,
        created_at=lead.created_at,
        console_url=console_url(policy.console_base_url, tenant_id, lead.id),
    )


def console_url(base_url: str | None, tenant_id: UUID, lead_id: UUID) -> str | None:
    """Where a person sees this lead, or None when the console's address is not configured."""
    if base_url is None:
        return None
    return f"{base_url.rstrip('/')}/?{urlencode({'tenant_id': tenant_id, 'lead': lead_id})}"
