"""Who decides, and how sure we are."""

import pytest

from lead_signals.intent.decide import CERTAIN, GRAVE_DOUBT, MOST_CERTAIN, decide
from lead_signals.intent.evidence.weigh_evidence import Weighing, weigh_evidence
from lead_signals.intent.statistics.statistical_model import Trust
from lead_signals.intent.statistics.statistical_opinion import Opinion
from lead_signals.intent.verdict import IntentLabel

AS_IT_IS = Trust(slope=1.0, offset=0.0)
PRICE, INQUIRY, COMPLAINT = IntentLabel.INQUIRY_PRICE, IntentLabel.INQUIRY, IntentLabel.COMPLAINT


def rules_say(label: IntentLabel, weight: float) -> Weighing:
    return Weighing(label, weight, ((label, weight),), "as they say")


def statistics_say(trust: Trust = AS_IT_IS, **probabilities: float) -> Opinion:
    labels = tuple(IntentLabel)
    rest = (1 - sum(probabilities.values())) / (len(labels) - len(probabilities))
    return Opinion(labels, tuple(probabilities.get(label, rest) for label in labels), (), trust)


def test_rules_that_are_certain_decide_against_likelier_statistics() -> None:
    decision = decide(rules_say(PRICE, CERTAIN), statistics_say(inquiry=0.6, inquiry_price=GRAVE_DOUBT))
    assert (decision.intent_label, decision.by) == (PRICE, "rules")
    assert "look like inquiry" in decision.reason


def test_they_do_not_against_statistics_that_are_nearly_sure() -> None:
    decision = decide(rules_say(PRICE, 0.95), statistics_say(complaint=0.8, inquiry_price=GRAVE_DOUBT - 0.15))
    assert (decision.intent_label, decision.by) == (COMPLAINT, "statistics")


def test_rules_that_are_not_certain_leave_it_to_the_statistics() -> None:
    decision = decide(rules_say(PRICE, CERTAIN - 0.01), statistics_say(inquiry=0.52, inquiry_price=0.4))
    assert (decision.intent_label, decision.by) == (INQUIRY, "statistics")


def test_when_both_say_the_same_the_rules_get_the_word_and_the_statistics_the_number() -> None:
    decision = decide(rules_say(PRICE, 0.6), statistics_say(inquiry_price=0.9))
    assert (decision.intent_label, decision.by, decision.confidence_score) == (PRICE, "rules", pytest.approx(0.9, abs=0.001))


def test_the_number_is_the_chance_of_being_right_and_not_the_odds_of_the_model() -> None:
    doubtful = Trust(slope=0.5, offset=0.0)
    decision = decide(rules_say(PRICE, 0.9), statistics_say(doubtful, inquiry_price=0.9))
    assert decision.confidence_score == pytest.approx(0.75, abs=0.001)


def test_a_mere_guess_is_no_reason_to_call_anybody() -> None:
    decision = decide(weigh_evidence([]), statistics_say(complaint=0.4, unknown=0.2))
    assert (decision.intent_label, decision.by, decision.confidence_score) == (IntentLabel.UNKNOWN, "statistics", pytest.approx(0.2))
    assert decide(weigh_evidence([]), statistics_say(complaint=0.45, unknown=0.2)).intent_label is COMPLAINT


def test_nobody_is_ever_quite_sure() -> None:
    assert decide(rules_say(PRICE, 0.97), statistics_say(inquiry_price=1.0)).confidence_score == MOST_CERTAIN


def test_without_an_opinion_the_weight_of_the_rules_stands() -> None:
    weighing = rules_say(PRICE, 0.91)
    decision = decide(weighing, None)
    assert (decision.intent_label, decision.confidence_score, decision.by) == (PRICE, 0.91, "rules")


def test_where_no_rule_speaks_the_statistics_decide() -> None:
    decision = decide(weigh_evidence([]), statistics_say(inquiry=0.7))
    assert (decision.intent_label, decision.by) == (INQUIRY, "statistics")


def test_a_tenants_own_rule_stands_against_statistics_that_never_heard_of_it() -> None:
    weighing = rules_say(PRICE, 0.95)
    decision = decide(weighing, statistics_say(complaint=0.9), by_own_rule=True)
    assert (decision.intent_label, decision.confidence_score, decision.by) == (PRICE, 0.95, "rules")
    silent = decide(weigh_evidence([]), statistics_say(complaint=0.9), by_own_rule=True)
    assert silent.intent_label is COMPLAINT


def test_statistics_alone_never_send_nothing_wanted_past_a_person() -> None:
    assert decide(weigh_evidence([]), statistics_say(unknown=0.98)).confidence_score == 0.84
    assert decide(rules_say(IntentLabel.UNKNOWN, 0.9), statistics_say(unknown=0.98)).confidence_score > 0.95


def test_the_reason_does_not_speak_of_a_number_that_is_not_shown() -> None:
    rivals = Weighing(PRICE, 0.81, ((PRICE, 0.9),), "the clearest intent; less sure because contact_request is as clear")
    assert decide(rivals, statistics_say(inquiry_price=0.9)).reason == "the clearest intent; the statistics agree"
