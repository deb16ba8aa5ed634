"""The verdict on a lead form: whoever leaves a phone or an e-mail under an advertisement asks to be contacted, whatever else is written."""

from lead_signals.intent.classify import LONGEST_READ_CHARACTERS
from lead_signals.intent.contact.contact_details import find_contact_details
from lead_signals.intent.lane import lane_status
from lead_signals.intent.pack.rule_pack import packaged_rule_pack
from lead_signals.intent.verdict import PRIORITY_OF, Evidence, IntentLabel, Verdict
from lead_signals.leads.form_answers import FormAnswers

LEAD_FORM_RULE = "lead_form"
REACHABLE_CONFIDENCE = 0.95
# They took the trouble to ask, and left no way to answer: a person should look.
UNREACHABLE_CONFIDENCE = 0.75


def form_verdict(answers: FormAnswers) -> Verdict:
    """contact_request with a phone or an e-mail, otherwise inquiry; the evidence names the rule `lead_form`, in `answers.text`."""
    label = IntentLabel.CONTACT_REQUEST if answers.reachable else IntentLabel.INQUIRY
    confidence = REACHABLE_CONFIDENCE if answers.reachable else UNREACHABLE_CONFIDENCE
    return Verdict(
        intent_label=label,
        priority=PRIORITY_OF[label],
        confidence_score=confidence,
        status=lane_status(confidence),
        evidence=_evidence(answers.text, label, confidence),
        phones=answers.phones,
        emails=answers.emails,
        rule_pack=packaged_rule_pack().name,
    )


def _evidence(text: str, label: IntentLabel, weight: float) -> tuple[Evidence, ...]:
    """The contact itself where it can be seen in the text, otherwise the whole text; a form without a word has no evidence."""
    if not text:
        return ()
    places = find_contact_details(text[:LONGEST_READ_CHARACTERS]).places if label is IntentLabel.CONTACT_REQUEST else ()
    start, end = (places[0].start, places[0].end) if places else (0, len(text))
    return (Evidence(LEAD_FORM_RULE, text[start:end], start, end, label, weight),)
