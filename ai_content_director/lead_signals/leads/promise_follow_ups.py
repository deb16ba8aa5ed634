"""An urgent lead is owed a call: promise its follow-up, in the transaction that opened the lead or made it urgent."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from lead_signals.followups.request import FollowUpRequest
from lead_signals.followups.request_follow_ups import request_follow_ups
from lead_signals.intent.verdict import Priority
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.open_leads import LeadDraft, OpenedLead
from lead_signals.leads.sender_phone import with_sender_phone
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class FollowUpPolicy:
    """Whether the operator listens for tenants without an endpoint (WEBHOOK_URL), and where a person finds the lead (PUBLIC_BASE_URL).

    `asks_model`: a language model is asked about leads that the rules do not understand (LEAD_CLASSIFY_USE_LLM, with key and model).
    `promises_nothing`: nobody is told of what is written, for it happened long ago.
    """

    operator_listens: bool
    console_base_url: str | None
    asks_model: bool = False
    promises_nothing: bool = False


def follow_up_policy(settings: Settings) -> FollowUpPolicy:
    """What the operator decided."""
    return FollowUpPolicy(
        operator_listens=settings.webhook_url is not None,
        console_base_url=settings.public_base_url,
        asks_model=settings.asks_language_model,
    )


async def promise_follow_ups(session: TenantSession, tenant_id: UUID, opened: Sequence[OpenedLead], policy: FollowUpPolicy) -> None:
    """Owe a follow-up for each opened lead of priority high, to each endpoint that listens; without one nothing is owed."""
    urgent = [_about_opened(tenant_id, lead, policy) for lead in opened if lead.draft.verdict.priority is Priority.HIGH]
    await _promise(session, tenant_id, urgent, policy)


async def promise_follow_ups_now(session: TenantSession, tenant_id: UUID, leads: Sequence[Lead], policy: FollowUpPolicy) -> None:
    """Owe a follow-up for each of these leads, as it reads now; what was promised before stays as it is. The caller says they are urgent.

    Without an endpoint that listens nothing is owed.
    """
    await _promise(session, tenant_id, [_about_stored(tenant_id, lead, policy) for lead in leads], policy)


async def _promise(session: TenantSession, tenant_id: UUID, requests: Sequence[FollowUpRequest], policy: FollowUpPolicy) -> None:
    if not policy.promises_nothing:
        await request_follow_ups(session, tenant_id, requests, operator_listens=policy.operator_listens)


def _about_opened(tenant_id: UUID, lead: OpenedLead, policy: FollowUpPolicy) -> FollowUpRequest:
    draft, verdict = lead.draft, KeptVerdict.of(lead.draft.verdict)
    return _request(lead, draft, verdict, tenant_id=tenant_id, status=verdict.status, permalink_url=draft.permalink_url, policy=policy)


def _about_stored(tenant_id: UUID, lead: Lead, policy: FollowUpPolicy) -> FollowUpRequest:
    address = lead.meta.get("permalink_url")
    return _request(lead, lead, KeptVerdict.of_lead(lead), tenant_id=tenant_id, status=lead.status, permalink_url=address, policy=policy)


def _request(
    lead: OpenedLead | Lead,
    said: LeadDraft | Lead,
    verdict: KeptVerdict,
    *,
    tenant_id: UUID,
    status: str,
    permalink_url: str | None,
    policy: FollowUpPolicy,
) -> FollowUpRequest:
    return FollowUpRequest(
        lead_id=lead.id,
        tenant_id=tenant_id,
        author_name=said.author_name,
        author_id=said.author_id,
        content_text=said.content_text,
        intent_label=verdict.intent_label,
        priority=verdict.priority,
        confidence_score=verdict.confidence_score,
        status=status,
        platform=said.platform,
        source_type=said.source_type,
        external_post_id=said.external_post_id,
        external_message_id=said.external_message_id,
        permalink_url=permalink_url,
        phones=tuple(with_sender_phone(list(verdict.phones), said.meta)),
        emails=tuple(verdict.emails),
        created_at=lead.created_at,
        console_url=console_url(policy.console_base_url, tenant_id, lead.id),
    )


def console_url(base_url: str | None, tenant_id: UUID, lead_id: UUID) -> str | None:
    """Where a person sees this lead, or None when the console's address is not configured."""
    if base_url is None:
        return None
    return f"{base_url.rstrip('/')}/?{urlencode({'tenant_id': tenant_id, 'lead': lead_id})}"
