"""Judge again: what a delivery says, by a tenant's own rules. Pure; nothing but the verdicts changes."""

from dataclasses import replace

from lead_signals.intake.prepare import Prepared
from lead_signals.intent.classify import classify
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.leads.form_verdict import LEAD_FORM_RULE
from lead_signals.leads.open_leads import LeadDraft
from lead_signals.leads.record_changes import ChangeDraft


def judge_again(prepared: Prepared, rule_pack: RulePack) -> Prepared:
    """The same leads and changes, with verdicts by `rule_pack`. The verdict of a lead form stays: no rule of a pack made it."""
    return replace(
        prepared,
        leads=tuple(_lead(draft, rule_pack) for draft in prepared.leads),
        changes=tuple(_change(draft, rule_pack) for draft in prepared.changes),
    )


def _lead(draft: LeadDraft, rule_pack: RulePack) -> LeadDraft:
    if any(seen.rule == LEAD_FORM_RULE for seen in draft.verdict.evidence):
        return draft
    return replace(draft, verdict=classify(draft.content_text, rule_pack))


def _change(draft: ChangeDraft, rule_pack: RulePack) -> ChangeDraft:
    return draft if draft.content_text is None else replace(draft, verdict=classify(draft.content_text, rule_pack))
