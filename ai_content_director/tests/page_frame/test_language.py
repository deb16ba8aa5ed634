"""Both languages say everything; the choice is remembered, and Vietnamese comes first."""

import unicodedata
from dataclasses import fields

import pytest

from lead_signals.page_frame.language import FRAME_WORDS, Language, UnknownLanguage, chosen_language, remembered_language, written_number


def test_both_languages_have_every_word_of_the_frame() -> None:
    assert set(FRAME_WORDS) == set(Language)
    for words in FRAME_WORDS.values():
        assert all(getattr(words, field.name).strip() for field in fields(words))


def test_vietnamese_is_written_composed() -> None:
    for field in fields(FRAME_WORDS[Language.VI]):
        word = getattr(FRAME_WORDS[Language.VI], field.name)
        assert word == unicodedata.normalize("NFC", word), field.name


def test_vietnamese_first_then_the_cookie_then_the_address() -> None:
    assert chosen_language(None, None) is Language.VI
    assert chosen_language(None, "en") is Language.EN
    assert chosen_language("vi", "en") is Language.VI
    assert chosen_language("", "en") is Language.EN


def test_an_odd_cookie_is_forgotten_and_an_odd_address_refused() -> None:
    assert remembered_language("fr'><script>") is Language.VI
    with pytest.raises(UnknownLanguage):
        chosen_language("fr", "en")


def test_thousands_are_parted_as_the_language_does() -> None:
    assert written_number(1_234_567, Language.VI) == "1.234.567"
    assert written_number(1_234_567, Language.EN) == "1,234,567"
