"""Promise look-ups, in the transaction of the leads they are about: answers of lead forms, and names of people who write to a Page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from lead_signals.database.new_id import new_id
from lead_signals.database.wake_up import announce_due_work
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.look_up import LOCK_ORDER, LOOK_UP_WORK, LookUpKind, LookUpState, due_again, look_ups
from lead_signals.leads.open_leads import LeadDraft, OpenedLead
from lead_signals.platforms.inbound_signal import SourceType
from lead_signals.tenancy.tenant_session import TenantSession

# People rename themselves seldom, and a name that Meta did not tell a month ago may be told today.
NAME_HOLDS: Final = timedelta(days=30)
_META: Final = frozenset({"facebook", "instagram"})
_IN_A_CONVERSATION: Final = frozenset({SourceType.MESSAGE.value, SourceType.POSTBACK.value})

NO_CHANNEL: Final = ""  # of a delivery that names none; a real id is never empty

ChannelKey: TypeAlias = tuple[str, str]
"""Platform and the platform's id of the channel."""

_Question: TypeAlias = tuple[str, str, str, str]
"""Kind, platform, channel, subject: what makes a look-up the same one; sorts as LOCK_ORDER does."""


@dataclass(frozen=True, slots=True)
class _Sender:
    question: _Question
    found_name: str | None
    is_stale: bool


async def request_look_ups(
    session: TenantSession, tenant_id: UUID, opened: Sequence[OpenedLead], channels_with_token: Collection[ChannelKey]
) -> list[OpenedLead]:
    """Owe what these leads do not say, one row for each form and each sender, and wake the worker at commit.

    Returns the same leads, in their order, with the names that an earlier look-up found: written to their rows, and to be told in
    their follow-ups. A form is asked for with or without a token (it waits for one), a name only where there is one. A lead without a
    channel is left as it is: nobody could ever be asked. Call it before anything locks older leads of the tenant: the worker locks the
    look-up first and then its leads.
    """
    owed = {lead.id: question for lead in opened if (question := _question(lead.draft, channels_with_token)) is not None}
    if not owed:
        return list(opened)
    questions = sorted(set(owed.values()))
    fresh = await _insert(session, tenant_id, questions)
    senders = await _known(session, tenant_id, [question for question in questions if question[0] == LookUpKind.SENDER_NAME.value])
    stale = [sender.question for sender in senders if sender.is_stale]
    if stale:
        await session.execute(update(look_ups).where(*_among(tenant_id, stale)).values(due_again()))
    if fresh or stale:
        await announce_due_work(session, LOOK_UP_WORK)
    names = {sender.question: sender.found_name for sender in senders if sender.found_name is not None}
    return await _put_names(
        session, tenant_id, opened, {lead_id: names[question] for lead_id, question in owed.items() if question in names}
    )


def misses_something(draft: LeadDraft) -> bool:
    """Whether there may be something to look up for this lead: the answers of a form, or a name."""
    return not draft.author_name or draft.source_type == SourceType.LEAD_FORM.value or bool(draft.meta.get("field_data"))


def _question(draft: LeadDraft, channels_with_token: Collection[ChannelKey]) -> _Question | None:
    channel = draft.channel_external_id
    if draft.external_message_id is not None and draft.meta.get("field_data"):
        # A form whose answers came along, whatever the platform calls it: nobody is asked, the look-up completes the lead from them.
        return (LookUpKind.LEAD_FORM.value, draft.platform, channel or NO_CHANNEL, draft.external_message_id)
    if draft.platform not in _META or channel is None:
        return None
    if draft.source_type == SourceType.LEAD_FORM.value:
        if draft.external_message_id is None:
            return None
        return (LookUpKind.LEAD_FORM.value, draft.platform, channel, draft.external_message_id)
    if draft.source_type not in _IN_A_CONVERSATION or draft.author_id is None or draft.author_name:
        return None
    if (draft.platform, channel) not in channels_with_token:
        return None
    return (LookUpKind.SENDER_NAME.value, draft.platform, channel, draft.author_id)


async def _insert(session: TenantSession, tenant_id: UUID, questions: Sequence[_Question]) -> int:
    """How many of these were not known yet."""
    inserted = await session.execute(
        insert(look_ups)
        .on_conflict_do_nothing(index_elements=["tenant_id", "kind", "platform", "channel_external_id", "subject_id"])
        .returning(look_ups.c.id),
        [
            {
                "tenant_id": tenant_id,
                "id": new_id(),
                "kind": kind,
                "platform": platform,
                "channel_external_id": channel,
                "subject_id": subject,
            }
            for kind, platform, channel, subject in questions
        ],
    )
    return len(inserted.all())


async def _known(session: TenantSession, tenant_id: UUID, senders: Sequence[_Question]) -> list[_Sender]:
    """What is known of these. Locks the rows: a name found at this very moment is either seen here, or put on our leads by its finder."""
    if not senders:
        return []
    long_ago = func.now() - NAME_HOLDS
    is_stale = or_(
        and_(look_ups.c.state == LookUpState.FOUND.value, look_ups.c.found_at < long_ago),
        and_(look_ups.c.state == LookUpState.GIVEN_UP.value, look_ups.c.finished_at < long_ago),
    )
    rows = await session.execute(
        select(*LOCK_ORDER, look_ups.c.found_name, is_stale).where(*_among(tenant_id, senders)).order_by(*LOCK_ORDER).with_for_update()
    )
    return [_Sender((kind, platform, channel, subject), name, stale) for kind, platform, channel, subject, name, stale in rows]


def _among(tenant_id: UUID, questions: Sequence[_Question]) -> tuple[Any, ...]:
    return (look_ups.c.tenant_id == tenant_id, tuple_(*LOCK_ORDER).in_(questions))


async def _put_names(session: TenantSession, tenant_id: UUID, opened: Sequence[OpenedLead], names: Mapping[UUID, str]) -> list[OpenedLead]:
    if names:
        await session.execute(
            update(lead_signals)
            .where(lead_signals.c.tenant_id == tenant_id, lead_signals.c.id == bindparam("lead_id"))
            .values(author_name=bindparam("known_name")),
            [{"lead_id": lead_id, "known_name": name} for lead_id, name in names.items()],
        )
    return [replace(lead, draft=replace(lead.draft, author_name=names[lead.id])) if lead.id in names else lead for lead in opened]
