"""The same word, however it was typed; and never another word."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.intent.contact_details import find_contact_details
from lead_signals.intent.rule_pack import packaged_rule_pack
from lead_signals.intent.syllable import fold_word
from lead_signals.intent.text_folding import MONEY, NUMBER, PHONE, QUESTION, WORD, fold_text

SYLLABLES = [
    "giá",
    "già",
    "giả",
    "bao",
    "nhiêu",
    "tư",
    "vấn",
    "hoà",
    "thuý",
    "khoẻ",
    "quý",
    "giữ",
    "gì",
    "nghiêng",
    "người",
    "thuở",
    "khuya",
    "đường",
    "ượt",
    "xoong",
    "nguyễn",
    "được",
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hòa", "hoà"),
        ("thúy", "thuý"),
        ("khỏe", "khoẻ"),
        ("GIÁ", "giá"),
        ("giááá", "giá"),
        ("giáaaa", "giá"),
        ("gia\u0301", "giá"),
        ("ｇｉá", "giá"),
        ("g\u200biá", "giá"),
        ("\u0493", "\u0493"),
        ("gìa", "già"),
        ("đẹppp", "đẹp"),
        ("𝐠𝐢𝐚́", "giá"),
        ("Мua", "mua"),
        ("quá", "qúa"),
        ("ế", "e\u0301\u0302"),
        ("nhiêuuuu", "nhiêu"),
    ],
)
def test_typed_differently_and_the_same_word(one: str, other: str) -> None:
    assert fold_word(one).folded == fold_word(other).folded


@pytest.mark.parametrize(
    ("one", "other"), [("giá", "già"), ("mua", "mưa"), ("vấn", "vân"), ("báo", "bảo"), ("kkk", "k"), ("hoa", "hòa"), ("да", "da")]
)
def test_another_word_stays_another_word(one: str, other: str) -> None:
    assert fold_word(one).folded != fold_word(other).folded


@pytest.mark.parametrize("syllable", SYLLABLES)
def test_a_well_written_syllable_folds_to_itself(syllable: str) -> None:
    assert fold_word(syllable).folded == syllable
    assert fold_word(unicodedata.normalize("NFD", syllable)) == fold_word(syllable)
    assert fold_word(syllable).bare.isascii()


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(word: str) -> None:
    folded = fold_word(word).folded
    if folded.isalpha() and folded.isascii():
        assert fold_word(folded).folded == folded


def test_diacritics_are_known_to_be_typed_or_not() -> None:
    assert fold_word("giá").typed_diacritics
    assert fold_word("đi").typed_diacritics
    assert not fold_word("gia").typed_diacritics
    assert (fold_word("đường").bare, fold_word("Đ").bare) == ("duong", "d")


def test_an_abbreviation_is_written_out_and_keeps_its_place() -> None:
    text = "xin sđt nhé"
    tokens = fold_text(text, packaged_rule_pack().abbreviations)
    assert [token.folded for token in tokens] == ["xin", "số", "điện", "thoại", "nhé"]
    assert {text[token.start : token.end] for token in tokens[1:4]} == {"sđt"}


def test_numbers_money_phones_and_questions_are_told_apart() -> None:
    text = "200k hay 2 triệu, 5 túi, 2túi, k biết, 0912 345 678?"
    kinds = {text[token.start : token.end]: token.kind for token in fold_text(text, {}, find_contact_details(text).places)}
    assert kinds["200k"] == kinds["2 triệu"] == MONEY
    assert kinds["5"] == kinds["2"] == NUMBER
    assert kinds["túi"] == kinds["k"] == WORD
    assert kinds["0912 345 678"] == PHONE
    assert kinds["?"] == QUESTION


def test_sentences_and_clauses_are_counted() -> None:
    tokens = fold_text("không cần, báo giá nhé. Gọi lại?\nDạ")
    assert [(token.sentence, token.clause) for token in tokens] == [(0, 0), (0, 0), (0, 1), (0, 1), (0, 1), (1, 2), (1, 2), (1, 2), (3, 4)]
