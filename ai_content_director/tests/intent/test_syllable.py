"""The same word, however it was typed; and never another word."""

import unicodedata
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_signals.intent.folding import syllable
from lead_signals.intent.folding.syllable import LONGEST_REMEMBERED, fold_word
from lead_signals.intent.folding.text_folding import fold_text
from lead_signals.intent.patterns.pattern import read_pattern
from lead_signals.intent.patterns.pattern_walk import PatternTree

SYLLABLES = [
    "giá", "già", "giả", "bao", "nhiêu", "tư", "vấn", "hoà", "thuý", "khoẻ", "quý", "giữ", "gì", "nghiêng", "người", "thuở", "khuya",
    "đường", "ượt", "xoong", "nguyễn", "được",
]  # fmt: skip
BEGINNINGS = ["", "b", "ch", "đ", "g", "gi", "h", "kh", "m", "ng", "nh", "qu", "t", "th"]
VOWELS = [
    "a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y", "ai", "ao", "au", "ay", "âu", "ây", "eo", "êu", "ia", "iê",
    "iêu", "iu", "oa", "oai", "oay", "oă", "oe", "oeo", "oi", "ôi", "ơi", "ua", "uâ", "uây", "uê", "ui", "uô", "uôi", "uơ", "uy",
    "uya", "uyê", "uyu", "ưa", "ưi", "ươ", "ươi", "ươu", "ưu", "yê", "yêu",
]  # fmt: skip
ENDINGS = ["", "c", "ch", "m", "n", "ng", "nh", "p", "t"]
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]


def typed_with(toneless: str, tone: str) -> Iterator[str]:
    """All that a person may type for it: the tone over any of the vowels, as a habit or a slip has it."""
    if not tone:
        yield toneless
        return
    for at, sign in enumerate(toneless):
        if sign in "aăâeêioôơuưy":
            yield unicodedata.normalize("NFC", toneless[: at + 1] + tone) + toneless[at + 1 :]


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
        ("gía", "giá"),
        ("gìa", "già"),
        ("mừơi", "mười"),
        ("đựơc", "được"),
        ("thỏai", "thoải"),
        ("thoaỉ", "thoải"),
        ("tòan", "toàn"),
        ("nguỹên", "nguyễn"),
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
    ("one", "other"),
    [("giá", "già"), ("mua", "mưa"), ("vấn", "vân"), ("báo", "bảo"), ("kkk", "k"), ("hoa", "hòa"), ("да", "da"), ("thỏai", "thoại"),
     ("k\u0301", "k"), ("n\u0301g", "ng"), ("g\u0301i\u0300a", "gia"), ("đ\u0301", "đ")],
)  # fmt: skip
def test_another_word_stays_another_word(one: str, other: str) -> None:
    assert fold_word(one).folded != fold_word(other).folded


@pytest.mark.parametrize("written", SYLLABLES)
def test_a_well_written_syllable_folds_to_itself(written: str) -> None:
    assert fold_word(written).folded == written
    assert fold_word(unicodedata.normalize("NFD", written)) == fold_word(written)
    assert fold_word(written).bare.isascii()


def test_every_syllable_has_one_spelling_and_no_two_share_one() -> None:
    """Wherever the tone was typed; and what differs in a letter or in the tone stays different."""
    spelled: dict[str, tuple[str, str]] = {}
    for beginning, vowels, ending, tone in product(BEGINNINGS, VOWELS, ENDINGS, TONES):
        if beginning[-1:] == vowels[0]:
            continue  # gi and i is written gi
        toneless = beginning + vowels + ending
        folded = {fold_word(typed).folded for typed in typed_with(toneless, tone)}
        assert len(folded) == 1, (toneless, tone, folded)
        spelling = folded.pop()
        assert spelled.setdefault(spelling, (toneless, tone)) == (toneless, tone)
        assert unicodedata.normalize("NFC", spelling) == spelling
        assert fold_word(spelling).folded == spelling


@pytest.mark.parametrize("bare", ["gia", "mua", "hoa", "thoai", "muoi", "duoc", "nguyen", "thuy", "bao", "qua", "tien"])
def test_a_word_typed_with_diacritics_fits_itself_alone(bare: str) -> None:
    """And typed without any, all those it may be short for, each as a guess."""
    shapes = {"a": "aăâ", "e": "eê", "o": "oôơ", "u": "uư", "d": "dđ"}
    toneless = ["".join(letters) for letters in product(*(shapes.get(letter, letter) for letter in bare))]
    words = {fold_word(typed).folded for one in toneless for tone in TONES for typed in typed_with(one, tone)}
    known = sorted(words)
    tree = PatternTree((number, wording) for number, word in enumerate(known) for wording in read_pattern(word, {}))
    for one, tone in product(toneless, TONES):
        for typed in typed_with(one, tone):
            found = {(known[each.owner], each.fit.guessed) for each in tree.walk(fold_text(typed), 0, 1)}
            folded = fold_word(typed).folded
            assert found == ({(folded, 0)} if typed != bare else {(word, int(word != bare)) for word in known})


@given(
    st.text(alphabet="aăâbcdđeêghikmnoôơpqrstuưvxyzáàảãạếờựkK'", min_size=1, max_size=6), st.lists(st.sampled_from(TONES[1:]), max_size=3)
)
@settings(deadline=None)
def test_no_word_typed_with_a_tone_folds_to_a_word_without_marks(letters: str, tones: list[str]) -> None:
    """A bare word may be a guess, one with a mark is meant: also if the mark stands over a consonant, or two exclude each other."""
    typed = letters[:1] + "".join(tones) + letters[1:]
    assert fold_word(typed).folded.isascii() == typed.isascii()


@given(st.text(max_size=30))
@settings(deadline=None)
def test_folding_twice_changes_nothing(word: str) -> None:
    folded = fold_word(word).folded
    if folded.isalpha() and folded.isascii():
        assert fold_word(folded).folded == folded


def test_diacritics_are_known_to_be_typed_or_not() -> None:
    assert fold_word("giá").typed_diacritics
    assert fold_word("đi").typed_diacritics
    assert not fold_word("gia").typed_diacritics
    assert (fold_word("đường").bare, fold_word("Đ").bare) == ("duong", "d")


@pytest.mark.parametrize(
    ("typed", "capitalised"), [("Lê", True), ("LÊ", False), ("lê", False), ("Ánh", True), ("Á", False), ("L\u200bê", True)]
)
def test_a_name_begins_with_one_capital(typed: str, capitalised: bool) -> None:
    assert fold_word(typed).capitalised is capitalised
    assert fold_word(unicodedata.normalize("NFD", typed)).capitalised is capitalised


def test_only_words_of_a_common_length_are_remembered() -> None:
    before = syllable._remembered.cache_info()
    fold_word("ă" * (LONGEST_REMEMBERED + 1))
    assert syllable._remembered.cache_info() == before
