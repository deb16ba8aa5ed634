"""The statistical opinion: what the file says, added up; and the words that moved it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.intent.classify import judge
from lead_signals.intent.evidence.weigh_evidence import weigh_evidence
from lead_signals.intent.folding.text_folding import fold_text
from lead_signals.intent.statistics.opinion_features import opinion_features
from lead_signals.intent.statistics.statistical_model import StatisticalModel, packaged_model, read_model
from lead_signals.intent.statistics.statistical_opinion import OPINION_RULE, clear_winner, form_opinion, share_of_each, words_that_moved
from lead_signals.intent.verdict import IntentLabel
from tests.intent.test_statistical_model import LABELS, a_model

SILENCE = weigh_evidence([])


def row(**weights: int) -> list[int]:
    """Weights by intent, zero elsewhere."""
    return [weights.get(label, 0) for label in LABELS]


def a_model_that_knows(**words: list[int]) -> StatisticalModel:
    return read_model(a_model(words=words))


def test_words_pairs_and_diacritics_each_have_their_name() -> None:
    names = [feature.name for feature in opinion_features(fold_text("Báo gia 3 nhé"))]
    assert names == [
        *("bao", "^ bao", "=báo", "=^ báo"),
        *("gia", "bao gia", "=báo gia"),
        *("#number", "gia #number"),
        *("nhe", "#number nhe", "=nhé", "=#number nhé"),
        "nhe $",
    ]


def test_nothing_known_leaves_what_the_model_expects_of_anybody() -> None:
    model = read_model(a_model(bias=row(inquiry=2000)))
    opinion = form_opinion(fold_text("zzz"), SILENCE, model)
    assert opinion.likeliest is IntentLabel.INQUIRY
    assert opinion.of(IntentLabel.INQUIRY) == pytest.approx(math.exp(2) / (math.exp(2) + 9))
    assert opinion.moved == ()


def test_a_word_typed_with_other_diacritics_is_not_the_typed_word() -> None:
    model = read_model(a_model(words={"=giá": row(inquiry_price=3000)}))
    said = [form_opinion(fold_text(text), SILENCE, model).of(IntentLabel.INQUIRY_PRICE) for text in ("giá", "già", "gia")]
    assert said[0] > 0.5
    assert said[1:] == pytest.approx([0.1, 0.1])


def test_rules_are_heard_in_proportion_to_their_weight() -> None:
    model = read_model(a_model(voices={label: row(**{label: 4000}) for label in LABELS}))
    sure = judge("Cho tôi báo giá", ask_statistics=False).weighing
    opinion = form_opinion(fold_text("zzz"), sure, model)
    score = dict(sure.scores)[IntentLabel.INQUIRY_PRICE]
    assert opinion.of(IntentLabel.INQUIRY_PRICE) == pytest.approx(math.exp(4 * score) / (math.exp(4 * score) + 9), rel=0.05)


def test_a_text_is_no_surer_for_saying_the_same_many_times_over() -> None:
    assert share_of_each(48) * 48 == pytest.approx(2 * share_of_each(12) * 12)
    assert share_of_each(0) == 0


def test_a_word_said_a_hundred_times_is_said_once() -> None:
    model = read_model(a_model(words={"dep": row(engagement=3000), "gia": row(inquiry_price=3000)}))
    opinion = form_opinion(fold_text("giá " + "đẹp " * 100), SILENCE, model)
    assert opinion.of(IntentLabel.ENGAGEMENT) == pytest.approx(opinion.of(IntentLabel.INQUIRY_PRICE))


ORDINARY = [
    "Báo",
    "giá",
    "gia",
    "bao",
    "nhiêu",
    "nhieu",
    "cho",
    "em",
    "không",
    "ko",
    "mình",
    "2",
    "đẹp",
    "lắm",
    "❤️",
    "0912345678",
    "?",
    ",",
]


@given(st.text(max_size=80) | st.lists(st.sampled_from(ORDINARY), max_size=12).map(" ".join))
def test_the_quick_way_adds_up_what_the_names_say(text: str) -> None:
    model = packaged_model()
    tokens = fold_text(text)
    opinion = form_opinion(tokens, SILENCE, model)
    assert sum(opinion.probabilities) == pytest.approx(1.0)
    named = [feature for feature in opinion_features(tokens) if known(model, feature.name)]
    assert sorted((first, after) for _, first, after in opinion.moved) == sorted((feature.first, feature.after) for feature in named)
    names = {feature.name for feature in named}
    sums = [float(one) for one in model.unmoved[None]]
    for name in sorted(names):
        sums = [total + weight * share_of_each(len(names)) for total, weight in zip(sums, known(model, name), strict=True)]
    highest = max(sums)
    grown = [math.exp((one - highest) / 1000) for one in sums]
    assert opinion.probabilities == pytest.approx([one / sum(grown) for one in grown])


def known(model: StatisticalModel, name: str) -> tuple[int, ...]:
    """The row of a feature by its name, the slow way; empty when the model does not know it."""
    words, plain = (model.typed, name[1:]) if name.startswith("=") else (model.bare, name)
    first, _, second = plain.partition(" ")
    if first not in words:
        return ()
    weights = words[first].before.get(second) if second else words[first].alone
    return () if weights is None else weights.row


def test_the_words_that_moved_it_are_shown_with_their_share_and_place() -> None:
    model = read_model(a_model(words={"khuon": row(inquiry_price=3000), "dap": row(inquiry_price=1000), "vay": row(thanks=5000)}))
    text = "khuôn này dập vậy"
    tokens = fold_text(text)
    opinion = form_opinion(tokens, SILENCE, model)
    moved = words_that_moved(text, tokens, opinion, IntentLabel.INQUIRY_PRICE)
    assert [(one.matched, one.weight, one.rule) for one in moved] == [("khuôn", 0.75, OPINION_RULE), ("dập", 0.25, OPINION_RULE)]
    assert all(text[one.start : one.end] == one.matched for one in moved)
    assert words_that_moved(text, tokens, opinion, IntentLabel.SPAM) == ()


def test_neighbours_are_shown_together() -> None:
    model = read_model(a_model(words={"dung thu": row(demo_request=3000)}))
    text = "cho dùng thử nha"
    tokens = fold_text(text)
    opinion = form_opinion(tokens, SILENCE, model)
    (moved,) = words_that_moved(text, tokens, opinion, IntentLabel.DEMO_REQUEST)
    assert (moved.matched, moved.weight) == ("dùng thử", 1.0)


def test_only_a_clear_finding_of_the_rules_is_a_winner() -> None:
    assert clear_winner(SILENCE) is None
    assert clear_winner(judge("Cho tôi báo giá", ask_statistics=False).weighing) is IntentLabel.INQUIRY_PRICE
