"""The rules read again: a verdict that stands by an opinion stays while the rules still do not know, and goes when they do."""

from dataclasses import replace

from lead_signals.intake.replay_comparison import Stored, StoredLead, compare
from lead_signals.intake.replay_reading import ReceiptReadAgain
from lead_signals.intent.verdict import IntentLabel
from lead_signals.language_model.opinion import Opinion
from lead_signals.leads.changed_lead import SECOND_OPINION, without_opinion
from lead_signals.second_opinion.merge_opinion import merged_lead
from tests.second_opinion.asking_house import AskingHouse, unclear, verdict


async def test_a_lead_that_stands_by_an_opinion_is_kept_until_the_rules_know(house: AskingHouse) -> None:
    lead = await house.say()
    stands = merged_lead(lead, Opinion(IntentLabel.COMPLAINT, 0.8), model="m")
    draft = unclear()
    stored = Stored({draft.receipt_id: [StoredLead(stands, stands.status)]}, {("facebook", "m_1")}, {}, (), ())

    def read_as(label: str, text: str = draft.content_text) -> tuple[int, int]:
        today = replace(draft, verdict=verdict(label, 0.6), content_text=text)
        receipt = ReceiptReadAgain(draft.receipt_id, lead.created_at, (today,), (), 1)
        found = compare([receipt], stored, lambda _: today.verdict)
        assert found.compared == 1
        return found.opinions, len(found.changed)

    assert read_as("unknown") == (1, 0)
    assert read_as("inquiry") == (0, 1)
    assert read_as("unknown", "Lời khác trong webhook") == (0, 1)
    assert SECOND_OPINION in stands.meta
    assert without_opinion(stands.meta).keys() == stands.meta.keys() - {SECOND_OPINION}


async def test_without_an_opinion_a_replay_turns_back_what_the_rules_do_not_know(house: AskingHouse) -> None:
    lead = await house.say()
    draft = unclear()
    known = replace(lead, intent_label="complaint", priority="high", confidence_score=0.8, status="new_draft")
    stored = Stored({draft.receipt_id: [StoredLead(known, known.status)]}, {("facebook", "m_1")}, {}, (), ())
    receipt = ReceiptReadAgain(draft.receipt_id, lead.created_at, (draft,), (), 1)
    found = compare([receipt], stored, lambda _: draft.verdict)
    assert (found.opinions, len(found.changed)) == (0, 1)
