"""Precedence, worked out by hand."""

import pytest

from lead_signals.intent.evidence.weigh_evidence import weigh_evidence
from lead_signals.intent.verdict import Evidence, IntentLabel


def spoke(label: IntentLabel, weight: float, start: int = 0, end: int = 4, rule: str = "") -> Evidence:
    return Evidence(rule or f"{label} {start}", "text"[: end - start], start, end, label, weight)


def test_nothing_said_is_an_unsure_unknown() -> None:
    weighing = weigh_evidence([])
    assert (weighing.intent_label, weighing.confidence_score, weighing.scores) == (IntentLabel.UNKNOWN, 0.3, ())


def test_two_rules_about_other_words_make_it_surer_and_about_the_same_words_do_not() -> None:
    first = spoke(IntentLabel.INQUIRY_PRICE, 0.8, 0, 4)
    # 0.8 + (1 - 0.8) * 0.3 * 0.5 = 0.83
    assert weigh_evidence([first, spoke(IntentLabel.INQUIRY_PRICE, 0.5, 8, 12)]).confidence_score == 0.83
    assert weigh_evidence([first, spoke(IntentLabel.INQUIRY_PRICE, 0.5, 2, 6)]).confidence_score == 0.8


@pytest.mark.parametrize(
    ("one", "other", "winner"),
    [
        ((IntentLabel.COMPLAINT, 0.8), (IntentLabel.INQUIRY, 0.9), IntentLabel.COMPLAINT),
        ((IntentLabel.COMPLAINT, 0.6), (IntentLabel.INQUIRY_PRICE, 0.93), IntentLabel.INQUIRY_PRICE),
        ((IntentLabel.THANKS, 0.95), (IntentLabel.INQUIRY, 0.6), IntentLabel.INQUIRY),
        ((IntentLabel.UNKNOWN, 0.9), (IntentLabel.PURCHASE_INTENT, 0.8), IntentLabel.UNKNOWN),
        ((IntentLabel.UNKNOWN, 0.9), (IntentLabel.COMPLAINT, 0.8), IntentLabel.COMPLAINT),
        ((IntentLabel.PURCHASE_INTENT, 0.9), (IntentLabel.INQUIRY_PRICE, 0.93), IntentLabel.PURCHASE_INTENT),
        ((IntentLabel.ENGAGEMENT, 0.9), (IntentLabel.THANKS, 0.8), IntentLabel.THANKS),
    ],
)
def test_the_earlier_intent_wins_when_nearly_as_clear(
    one: tuple[IntentLabel, float], other: tuple[IntentLabel, float], winner: IntentLabel
) -> None:
    evidence = [spoke(*one, 0, 4), spoke(*other, 6, 10)]
    assert weigh_evidence(evidence).intent_label is winner
    assert weigh_evidence(evidence[::-1]) == weigh_evidence(evidence)


def test_two_clear_businesses_in_one_text_go_to_a_person() -> None:
    weighing = weigh_evidence([spoke(IntentLabel.PURCHASE_INTENT, 0.9, 0, 4), spoke(IntentLabel.INQUIRY_PRICE, 0.93, 6, 10)])
    assert weighing.confidence_score == 0.81  # 0.9 * 0.9
    assert "inquiry_price" in weighing.reason


def test_that_nothing_is_wanted_can_be_as_clear_as_a_request() -> None:
    assert weigh_evidence([spoke(IntentLabel.UNKNOWN, 0.9)]).confidence_score == 0.9


def test_guesses_together_stay_guesses() -> None:
    guesses = [spoke(IntentLabel.INQUIRY_PRICE, 0.45, at, at + 4) for at in range(0, 100, 5)]
    assert weigh_evidence(guesses).confidence_score <= 0.69
