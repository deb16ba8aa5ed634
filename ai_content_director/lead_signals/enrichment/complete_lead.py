"""Complete the lead of a form with what the person wrote into it, and promise its follow-up: only now somebody can be called."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, update

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, record
from lead_signals.graph_api.lead_form import LeadForm
from lead_signals.intent.verdict import Priority
from lead_signals.json_body import JsonValue
from lead_signals.leads.changed_lead import LANES
from lead_signals.leads.form_answers import FormAnswers, form_answers, kept_field_data
from lead_signals.leads.form_verdict import form_verdict
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead, lock_leads_of_messages
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.look_up import LookUpKind
from lead_signals.leads.promise_follow_ups import FollowUpPolicy, promise_follow_ups_now
from lead_signals.tenancy.tenant_session import TenantSession


async def complete_lead(session: TenantSession, tenant_id: UUID, *, platform: str, form: LeadForm, policy: FollowUpPolicy) -> UUID | None:
    """Write the form's answers to its lead, with their verdict, an audit event and the follow-up owed; its id, or None without a lead.

    Doing it twice leaves the same lead and one follow-up, but two audit events: call it under the look-up's lease.
    """
    found = await lock_leads_of_messages(session, tenant_id, [(platform, form.leadgen_id)])
    if not found:
        return None
    lead = found[0]
    field_data: JsonValue = [{"name": answer.name, "values": list(answer.values)} for answer in form.answers]
    answers = form_answers(field_data)
    completed = _completed(lead, answers, {**_told_besides(form), "field_data": kept_field_data(field_data)})
    await session.execute(
        update(lead_signals)
        .where(lead_signals.c.tenant_id == tenant_id, lead_signals.c.id == lead.id)
        .values({name: getattr(completed, name) for name in _WRITTEN} | {"updated_at": func.now()})
    )
    await record(session, tenant_id, [_event(completed, answers)])
    if lead.status in LANES and completed.priority == Priority.HIGH:
        await promise_follow_ups_now(session, tenant_id, [completed], policy)
    return lead.id


_WRITTEN = ("author_name", "content_text", "intent_label", "priority", "confidence_score", "status", "meta")


def _told_besides(form: LeadForm) -> dict[str, Any]:
    ids = {"form_id": form.form_id, "ad_id": form.ad_id}
    return {name: told for name, told in ids.items() if told} | ({"unread_answers": form.unread_answers} if form.unread_answers else {})


def _completed(lead: Lead, answers: FormAnswers, told: Mapping[str, Any]) -> Lead:
    """The lead as it reads with the answers. Words it had already stay, and the evidence then speaks about those."""
    text = lead.content_text if lead.content_text.strip() else answers.text
    verdict = KeptVerdict.of(form_verdict(replace(answers, text=text)))
    meta = {
        **told,
        **lead.meta,
        "field_data": told["field_data"],
        "phones": _each_once(lead.meta.get("phones"), verdict.phones),
        "emails": _each_once(lead.meta.get("emails"), verdict.emails),
    }
    completed = replace(lead, author_name=lead.author_name or answers.name, content_text=text, meta=meta)
    if lead.status not in LANES:  # a person has decided: their word stands, and what was learned is written beside it
        return completed
    return replace(
        completed,
        intent_label=verdict.intent_label,
        priority=verdict.priority,
        confidence_score=verdict.confidence_score,
        status=verdict.status,
        meta={**meta, "rule_pack": verdict.rule_pack, "evidence": verdict.evidence},
    )


def _each_once(known: Any, found: Iterable[str]) -> list[Any]:
    return list(dict.fromkeys([*(known if isinstance(known, list) else []), *found]))


def _event(lead: Lead, answers: FormAnswers) -> AuditEvent:
    return AuditEvent(
        AuditEventType.LEAD_SIGNAL_COMPLETED,
        entity_type="lead_signal",
        entity_id=lead.id,
        detail={
            "look_up": LookUpKind.LEAD_FORM.value,
            "intent_label": lead.intent_label,
            "priority": lead.priority,
            "confidence_score": lead.confidence_score,
            "status": lead.status,
            "phones": len(answers.phones),
            "emails": len(answers.emails),
            "answers": len(lead.meta["field_data"]),
        },
    )
