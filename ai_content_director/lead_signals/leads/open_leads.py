"""Open the leads of one delivery: each external message becomes one row, once, however often it is delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lead_signals.database.insert_rows import insert_rows
from lead_signals.database.new_id import new_id
from lead_signals.intent.verdict import Verdict
from lead_signals.leads.content_item import PostKey, content_ids_of_posts
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class LeadDraft:
    """A lead about to be written: who said what where, what was read in it, and in which receipt it lies."""

    receipt_id: UUID
    channel_external_id: str | None
    platform: str
    source_type: str
    source_subtype: str | None
    external_post_id: str | None
    external_thread_id: str | None
    external_message_id: str | None
    author_name: str | None
    author_id: str | None
    content_text: str
    permalink_url: str | None
    verdict: Verdict
    meta: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenedLead:
    """A lead that this delivery created; `draft` is what it was made from."""

    id: UUID
    created_at: datetime
    draft: LeadDraft


async def open_leads(session: TenantSession, tenant_id: UUID, drafts: Sequence[LeadDraft]) -> list[OpenedLead]:
    """Insert the drafts that are new, in their order; those whose message is already a lead are left out of the answer."""
    if not drafts:
        return []
    content_ids = await content_ids_of_posts(session, tenant_id, _posts(drafts))
    prepared = {new_id(): draft for draft in drafts}
    inserted = await insert_rows(
        session,
        lead_signals,
        [_row(tenant_id, lead_id, draft, content_ids) for lead_id, draft in _in_lock_order(prepared)],
        on_conflict="ON CONFLICT (tenant_id, platform, external_message_id) DO NOTHING",
        returning=["id", "created_at"],
    )
    created = {row.id: row.created_at for row in inserted}
    return [OpenedLead(lead_id, created[lead_id], draft) for lead_id, draft in prepared.items() if lead_id in created]


def _posts(drafts: Sequence[LeadDraft]) -> dict[PostKey, str | None]:
    posts: dict[PostKey, str | None] = {}
    for draft in drafts:
        if draft.external_post_id is not None:
            key = (draft.platform, draft.external_post_id)
            posts[key] = posts.get(key) or (draft.permalink_url if draft.source_type == "comment" else None)
    return posts


def _in_lock_order(prepared: Mapping[UUID, LeadDraft]) -> list[tuple[UUID, LeadDraft]]:
    """Two batches that share messages take their index locks in one order, so they wait for each other and never deadlock.

    Sorting is stable: of one message twice in a batch, the first stays first.
    """
    return sorted(prepared.items(), key=lambda item: (item[1].platform, item[1].external_message_id or ""))


def _row(tenant_id: UUID, lead_id: UUID, draft: LeadDraft, content_ids: Mapping[PostKey, UUID]) -> dict[str, Any]:
    verdict = draft.verdict
    return {
        "tenant_id": tenant_id,
        "id": lead_id,
        "platform": draft.platform,
        "source_type": draft.source_type,
        "source_subtype": draft.source_subtype,
        "content_id": None if draft.external_post_id is None else content_ids[draft.platform, draft.external_post_id],
        "external_post_id": draft.external_post_id,
        "external_thread_id": draft.external_thread_id,
        "external_message_id": draft.external_message_id,
        "author_name": draft.author_name,
        "author_id": draft.author_id,
        "content_text": draft.content_text,
        "intent_label": verdict.intent_label.value,
        "priority": verdict.priority.value,
        "confidence_score": verdict.confidence_score,
        "status": verdict.status,
        "meta": _meta(draft),
        "receipt_id": draft.receipt_id,
    }


def _meta(draft: LeadDraft) -> dict[str, Any]:
    """What is worth keeping beside the columns; `evidence` offsets are characters of content_text."""
    return {**draft.meta, "permalink_url": draft.permalink_url, **KeptVerdict.of(draft.verdict).meta()}
