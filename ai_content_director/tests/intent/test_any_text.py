"""Comment text is hostile: any string gets a verdict, in time that grows with its length."""

import sys
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_signals.intent.classify import classify
from lead_signals.intent.contact.contact_details import find_contact_details
from lead_signals.intent.explaining.explain import explain
from lead_signals.intent.explaining.render_explanation import marked_text, render_explanation
from lead_signals.intent.folding.text_folding import fold_text
from lead_signals.intent.lane import lane_status
from lead_signals.intent.pack.rule_pack import packaged_rule_pack
from lead_signals.intent.verdict import PRIORITY_OF

# Words the rules know, mixed with anything: pure noise alone would never get past the first step of a pattern.
WORDS = [
    "giá",
    "gia",
    "già",
    "bao",
    "nhiêu",
    "bn",
    "ib",
    "tư",
    "vấn",
    "không",
    "ko",
    "mua",
    "2",
    "túi",
    "0912345678",
    "a@b.vn",
    "200k",
    "https://x.example/a",
    "?",
    ".",
    ",",
    "😍",
    ":))",
    "\u200b",
    "\u0301",
    "\x00",
    "Nguyễn",
    "demo",
    "quote",
    "don't",
    "cảm ơn",
    "\u202e",
]
texts = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), max_size=40).map("".join),
)


@given(texts)
@settings(max_examples=300, deadline=None)
def test_a_verdict_keeps_its_promises(text: str) -> None:
    verdict = classify(text)
    assert 0.0 <= verdict.confidence_score <= 0.99
    assert verdict.priority is PRIORITY_OF[verdict.intent_label]
    assert verdict.status == lane_status(verdict.confidence_score)
    for one in verdict.evidence:
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.matched
        assert 0.0 < one.weight <= 1.0
    assert verdict == classify(text)


@given(texts)
@settings(max_examples=300, deadline=None)
def test_tokens_stand_in_order_inside_the_text(text: str) -> None:
    tokens = fold_text(text, packaged_rule_pack().abbreviations, find_contact_details(text).places)
    at = 0
    for token in tokens:
        assert at <= token.start < token.end <= len(text)
        at = token.start
    assert all(one.sentence <= next_one.sentence and one.clause <= next_one.clause for one, next_one in pairwise(tokens))


@given(texts)
@settings(max_examples=100, deadline=None)
def test_an_explanation_hides_and_invents_nothing(text: str) -> None:
    explanation = explain(text)
    assert explanation.verdict == classify(text)
    without_marks = marked_text(explanation).replace("⟦", "").replace("⟧", "")
    assert without_marks == text.replace("⟦", "").replace("⟧", "")
    assert all(line.isprintable() for line in render_explanation(explanation))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00\x01\x1b[~",
        "\ud800",
        "😀" * 5000,
        "مرحبا كم السعر",
        "ราคาเท่าไหร่",
        "价格多少",
        "\u200b" * 4000,
        "\u0301" * 4000,
        "." * 10_000,
    ],
)
def test_strange_texts_get_an_unsure_verdict(text: str) -> None:
    verdict = classify(text)
    assert verdict.status != "new_auto"
    assert verdict.priority != "high"


@pytest.mark.parametrize(
    "unit",
    [
        "giá ",
        "giá này ",
        "cho em xin ",
        "không ",
        "bao nhiêu ",
        "0",
        "0912 ",
        "09123456789",
        "a@",
        "a.",
        "a@a.",
        "1,",
        "á\u0301",
        "https://",
        "www.",
        ":(",
        "?",
        "Nguyễn ",
        "{",
        "báo",
        "ib ",
        "không ạ ",
        "khong can bao gia ",
        "giá đỡ ",
        "hay đánh giá cao ",
    ],
)
def test_work_grows_no_faster_than_the_text(unit: str) -> None:
    short, long = (unit * (length // len(unit)) for length in (2_000, 8_000))
    classify(short), classify(long)  # words remembered, rules loaded
    assert _calls(long) <= 5 * _calls(short) + 2_000


def _calls(text: str) -> int:
    """Python and C calls made to classify the text: a measure of work that no other process can disturb."""
    count = 0

    def tally(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        classify(text)
    finally:
        sys.setprofile(before)
    return count
