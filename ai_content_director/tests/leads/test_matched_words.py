"""The marked words: whatever the evidence says, the stretches joined together are the text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.leads.matched_words import MatchedRule, Stretch, cut_out, matched_rules, stretches

TEXT = "Cho em xin báo giá 5 hộp"


def seen(rule: str, words: str, intent_label: str = "inquiry_price") -> dict[str, Any]:
    start = TEXT.index(words)
    return {"rule": rule, "start": start, "end": start + len(words), "intent_label": intent_label}


def test_overlapping_rules_share_their_words() -> None:
    rules = matched_rules(TEXT, [seen("quotation", "xin báo giá"), seen("price", "giá 5"), seen("amount", "5 hộp", "purchase_intent")])
    assert stretches(TEXT, rules, "inquiry_price") == [
        Stretch("Cho em ", (), decided=False),
        Stretch("xin báo ", ("quotation",), decided=True),
        Stretch("giá", ("quotation", "price"), decided=True),
        Stretch(" ", ("price",), decided=True),
        Stretch("5", ("price", "amount"), decided=True),
        Stretch(" hộp", ("amount",), decided=False),
    ]


def test_a_text_without_evidence_is_one_stretch() -> None:
    assert stretches(TEXT, [], "unknown") == [Stretch(TEXT, (), decided=False)]


@pytest.mark.parametrize(
    "evidence",
    [
        None, "x", 7, {}, [None], [[]], [{}], ["start"], [{"rule": "r"}],
        [{"rule": "r", "start": 0, "end": len(TEXT) + 1}],
        [{"rule": "r", "start": -1, "end": 3}],
        [{"rule": "r", "start": 3, "end": 3}],
        [{"rule": "r", "start": 5, "end": 3}],
        [{"rule": "r", "start": "0", "end": "3"}],
        [{"rule": "r", "start": 0.0, "end": 3.0}],
        [{"rule": "r", "start": False, "end": True}],
        [{"rule": "r", "start": 10**30, "end": 10**31}],
        [{"rule": None, "start": 0, "end": 3}],
    ],
)  # fmt: skip
def test_garbage_marks_nothing(evidence: Any) -> None:
    assert matched_rules(TEXT, evidence) == []


def test_garbage_does_not_hide_its_neighbour() -> None:
    assert matched_rules(TEXT, [{}, seen("price", "giá"), 3]) == [MatchedRule("price", 15, 18, "inquiry_price")]


SPANS = st.lists(
    st.fixed_dictionaries(
        {"rule": st.text(max_size=3), "start": st.integers(-2, 60), "end": st.integers(-2, 60), "intent_label": st.text(max_size=2)}
    ),
    max_size=12,
)


@given(st.text(max_size=50), SPANS)
def test_joined_together_they_are_the_text(text: str, evidence: list[dict[str, Any]]) -> None:
    parts = stretches(text, matched_rules(text, evidence), "")
    assert "".join(part.text for part in parts) == text


@given(st.text(max_size=50), SPANS, st.integers(0, 60), st.integers(0, 60))
def test_cut_out_is_a_slice(text: str, evidence: list[dict[str, Any]], start: int, end: int) -> None:
    parts = cut_out(stretches(text, matched_rules(text, evidence), ""), start, end)
    assert "".join(part.text for part in parts) == text[start:end]
    assert all(part.text for part in parts)
