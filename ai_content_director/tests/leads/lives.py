"""The lives of messages: things that happen to them, and a transaction that lets them happen as the door does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.new_id import new_id
from lead_signals.followups.follow_up import follow_ups
from lead_signals.intent.classify import classify
from lead_signals.leads.apply_changes import ChangeOutcome, apply_changes
from lead_signals.leads.hold_history import hold_history
from lead_signals.leads.lead_list import Lead, lock_leads_of_messages
from lead_signals.leads.message_history import MessageChange, changes_of
from lead_signals.leads.open_leads import LeadDraft, open_leads
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.leads.record_changes import ChangeDraft, record_changes
from lead_signals.platforms.inbound_signal import ChangeKind
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

LISTENED = FollowUpPolicy(operator_listens=True, console_base_url="https://leads.example.vn")
UNHEARD = FollowUpPolicy(operator_listens=False, console_base_url=None)

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SAID = "Cảm ơn shop nha"  # priority low
FIRST_EDIT = "Cho mình xin báo giá 300 túi giấy, gọi 0912 345 678"  # priority high
SECOND_EDIT = "Túi này có màu nâu không ạ"  # priority medium

Happening = LeadDraft | ChangeDraft


def said(message_id: str, text: str = SAID, **fields: Any) -> LeadDraft:
    """Somebody says it, on Monday at eight."""
    draft: dict[str, Any] = {
        "receipt_id": new_id(),
        "channel_external_id": "800100200300",
        "platform": "facebook",
        "source_type": "comment",
        "source_subtype": "comment",
        "external_post_id": "800100200300_7",
        "external_thread_id": message_id,
        "external_message_id": message_id,
        "author_name": "Kiều Mỹ Linh",
        "author_id": "u_508",
        "content_text": text,
        "permalink_url": "https://www.facebook.com/800100200300/posts/7",
        "verdict": classify(text),
        "meta": {"said_at": MONDAY.isoformat(), "parent_id": "800100200300_7"},
    }
    return LeadDraft(**draft | fields)


def edited(message_id: str, text: str, *, minutes: float | None, sequence: int = 0, platform: str = "facebook") -> ChangeDraft:
    """They write something else, so many minutes later (None: nobody says when)."""
    draft = _change(ChangeKind.EDITED, message_id, minutes, platform)
    return replace(draft, sequence=sequence, content_text=text, verdict=classify(text))


def removed(message_id: str, *, minutes: float | None = 30, platform: str = "facebook") -> ChangeDraft:
    """They take it back."""
    return _change(ChangeKind.REMOVED, message_id, minutes, platform)


def hidden(message_id: str, *, minutes: float | None) -> ChangeDraft:
    """The Page hides it."""
    return _change(ChangeKind.HIDDEN, message_id, minutes)


def shown(message_id: str, *, minutes: float | None) -> ChangeDraft:
    """The Page shows it again."""
    return _change(ChangeKind.SHOWN, message_id, minutes)


def _change(kind: ChangeKind, message_id: str, minutes: float | None, platform: str = "facebook") -> ChangeDraft:
    return ChangeDraft(
        receipt_id=new_id(),
        channel_external_id="800100200300",
        platform=platform,
        kind=kind,
        external_message_id=message_id,
        sequence=0,
        changed_at=None if minutes is None else MONDAY + timedelta(minutes=minutes),
    )


async def happen(engine: AsyncEngine, tenant_id: UUID, *happenings: Happening, policy: FollowUpPolicy = LISTENED) -> list[ChangeOutcome]:
    """All of it arrives in one delivery; the outcome of each change in it."""
    async with tenant_session(engine, tenant_id) as session:
        return await happen_in(session, tenant_id, happenings, policy=policy)


async def happen_in(
    session: TenantSession, tenant_id: UUID, happenings: Sequence[Happening], *, policy: FollowUpPolicy = LISTENED
) -> list[ChangeOutcome]:
    """The same in a transaction that stays open."""
    leads = [one for one in happenings if isinstance(one, LeadDraft)]
    changes = [one for one in happenings if isinstance(one, ChangeDraft)]
    await hold_history(session, tenant_id, changing=bool(changes))
    opened = await open_leads(session, tenant_id, leads)
    recorded = await record_changes(session, tenant_id, changes)
    return await apply_changes(session, tenant_id, recorded, opened, policy)


async def the_lead(engine: AsyncEngine, tenant_id: UUID, message_id: str, platform: str = "facebook") -> Lead:
    """The lead of this message; there is exactly one."""
    async with tenant_session(engine, tenant_id) as session:
        (lead,) = await lock_leads_of_messages(session, tenant_id, [(platform, message_id)])
    return lead


async def history(engine: AsyncEngine, tenant_id: UUID, message_id: str) -> list[MessageChange]:
    """What is recorded of this message."""
    async with tenant_session(engine, tenant_id) as session:
        return (await changes_of(session, tenant_id, [("facebook", message_id)])).get(("facebook", message_id), [])


async def owed(engine: AsyncEngine, lead: Lead) -> list[Any]:
    """The follow-ups of this lead, in any state."""
    async with tenant_session(engine, lead.tenant_id) as session:
        return list((await session.execute(select(follow_ups).where(follow_ups.c.lead_id == lead.id))).all())
