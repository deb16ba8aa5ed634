"""Merge an opinion into its lead: more may be told to people because of it, and nothing passes them.

An opinion never reaches the automatic lane, for nobody has measured how sure this model is when it says so. It speaks only where the
rules found nothing, so it can take back nothing that they found; and what it rates low still lies before a person.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, func, select, text, update

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, audit_events, record
from lead_signals.clock import now
from lead_signals.intent.lane import AUTO_FLOOR, STORED_DECIMALS, lane_status
from lead_signals.intent.verdict import PRIORITY_OF, IntentLabel, Priority
from lead_signals.language_model.opinion import Opinion
from lead_signals.language_model.prompt import PROMPT_VERSION
from lead_signals.leads.changed_lead import SECOND_OPINION
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import LeadStatus, lead_signals
from lead_signals.leads.promise_follow_ups import FollowUpPolicy, promise_follow_ups_now
from lead_signals.tenancy.tenant_session import TenantSession

LANGUAGE_MODEL_RULE: Final = "language model"
"""What `meta.evidence` names in place of a rule."""
MOST_CERTAIN: Final = AUTO_FLOOR - 0.01
# Whoever writes many messages that only a model takes for urgent would have somebody call them all day.
MOST_RAISED_AN_HOUR: Final = 20

_HOUR: Final = timedelta(hours=1)
# Written into the statement itself, so that an index over these events alone can serve it.
_OPINIONS: Final[BindParameter[str]] = bindparam("opinions", AuditEventType.LEAD_SIGNAL_SECOND_OPINION.value, literal_execute=True)
_WRITTEN: Final = ("intent_label", "priority", "confidence_score", "status", "meta")
_HOLD_AUTHOR: Final = text("SELECT pg_advisory_xact_lock(:key)")


async def merge_opinion(
    session: TenantSession, tenant_id: UUID, lead: Lead, opinion: Opinion, *, model: str, policy: FollowUpPolicy
) -> bool:
    """Give the lead the opinion's verdict, with audit event and, when it is urgent now, its follow-up; whether it did.

    The lead is locked, and the rules do not know what it wants. `unknown` changes nothing. For one author a lead is made urgent
    20 times an hour; one more keeps its verdict and goes to the escalate lane. Settle the request in the same transaction.
    """
    if opinion.intent_label is IntentLabel.UNKNOWN:
        return False
    capped = PRIORITY_OF[opinion.intent_label] is Priority.HIGH and await _raised_enough(session, tenant_id, lead)
    merged = replace(lead, status=LeadStatus.NEW_ESCALATE.value) if capped else merged_lead(lead, opinion, model=model)
    await session.execute(
        update(lead_signals)
        .where(lead_signals.c.tenant_id == tenant_id, lead_signals.c.id == lead.id)
        .values({name: getattr(merged, name) for name in _WRITTEN} | {"updated_at": func.now()})
    )
    await record(session, tenant_id, [_event(lead, merged, opinion, model=model, capped=capped)])
    if merged.priority == Priority.HIGH:
        await promise_follow_ups_now(session, tenant_id, [merged], policy)
    return not capped


def merged_lead(lead: Lead, opinion: Opinion, *, model: str) -> Lead:
    """The lead with the opinion's verdict. Pure."""
    confidence = min(opinion.confidence_score, round(MOST_CERTAIN, STORED_DECIMALS))
    evidence = {"rule": LANGUAGE_MODEL_RULE, "start": 0, "end": len(lead.content_text), "intent_label": opinion.intent_label.value}
    said = {
        "model": model,
        "intent_label": opinion.intent_label.value,
        "confidence_score": opinion.confidence_score,
        "prompt": PROMPT_VERSION,
    }
    return replace(
        lead,
        intent_label=opinion.intent_label.value,
        priority=PRIORITY_OF[opinion.intent_label].value,
        confidence_score=confidence,
        status=lane_status(confidence),
        meta={**lead.meta, "evidence": [*KeptVerdict.of_lead(lead).evidence, evidence], SECOND_OPINION: said},
    )


async def _raised_enough(session: TenantSession, tenant_id: UUID, lead: Lead) -> bool:
    """Whether this author has had their share of the last hour. Those who ask about one author wait for each other.

    The audit is counted, for nothing takes it back: a lead or a request is as it was before once the message is edited.
    """
    author = f"opinions about {tenant_id} {lead.platform} {lead.author_id}"
    key = int.from_bytes(hashlib.sha256(author.encode("utf-8", "surrogatepass")).digest()[:8], signed=True)
    await session.execute(_HOLD_AUTHOR, {"key": key})
    raised = await session.execute(
        select(func.count())
        .select_from(audit_events.join(lead_signals, _is_about))
        .where(
            audit_events.c.tenant_id == tenant_id,
            audit_events.c.id >= _first_id_of(now() - 2 * _HOUR),
            audit_events.c.event_type == _OPINIONS,
            audit_events.c.created_at > func.now() - _HOUR,
            audit_events.c.detail["priority"].astext == Priority.HIGH.value,
            lead_signals.c.platform == lead.platform,
            lead_signals.c.author_id.is_not_distinct_from(lead.author_id),
        )
    )
    return raised.scalar_one() >= MOST_RAISED_AN_HOUR


_is_about = (lead_signals.c.tenant_id == audit_events.c.tenant_id) & (lead_signals.c.id == audit_events.c.entity_id)


def _first_id_of(moment: datetime) -> UUID:
    """Ids begin with the millisecond they were made in: by the primary key only the newest events are read, not the whole history.

    Workers' clocks differ a little and `created_at` is the database's, so leave room.
    """
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _event(before: Lead, after: Lead, opinion: Opinion, *, model: str, capped: bool) -> AuditEvent:
    """Labels and numbers; a capped one also tells what was said and not followed."""
    said = {"intent_label": opinion.intent_label.value, "confidence_score": opinion.confidence_score}
    detail: dict[str, Any] = {**_verdict(after), "before": _verdict(before), "said": said, "model": model, "prompt": PROMPT_VERSION}
    return AuditEvent(
        AuditEventType.LEAD_SIGNAL_SECOND_OPINION,
        entity_type="lead_signal",
        entity_id=after.id,
        detail=detail | ({"capped": True} if capped else {}),
    )


def _verdict(lead: Lead) -> Mapping[str, Any]:
    return {
        "intent_label": lead.intent_label,
        "priority": lead.priority,
        "confidence_score": lead.confidence_score,
        "status": lead.status,
    }
