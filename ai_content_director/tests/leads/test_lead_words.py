"""Every word of the lead pages exists in both languages, for every value the database allows."""

import string
import unicodedata
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from lead_signals.intent.verdict import IntentLabel, Priority
from lead_signals.leads.lead_page_address import BadParameter, read_address
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.lead_words import LEAD_WORDS, LeadWords
from lead_signals.page_frame.language import Language
from lead_signals.platforms.inbound_signal import SourceType

NAMES = [field.name for field in fields(LeadWords)]


def test_both_languages_are_there() -> None:
    assert set(LEAD_WORDS) == set(Language)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("name", "values"), [("statuses", LeadStatus), ("intents", IntentLabel), ("priorities", Priority), ("sources", SourceType)]
)
def test_each_stored_word_has_a_word_of_its_own(language: Language, name: str, values: Any) -> None:
    words: Mapping[str, str] = getattr(LEAD_WORDS[language], name)
    assert set(words) == {value.value for value in values}
    assert len(set(words.values())) == len(words), "two that read the same cannot be told apart"


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_it_with_the_same_blanks(name: str) -> None:
    vietnamese, english = getattr(LEAD_WORDS[Language.VI], name), getattr(LEAD_WORDS[Language.EN], name)
    if isinstance(vietnamese, Mapping):
        assert vietnamese.keys() == english.keys()
        assert all(vietnamese.values())
        assert all(english.values())
        return
    assert vietnamese.strip()
    assert english.strip()
    assert _blanks(vietnamese) == _blanks(english)
    assert vietnamese == unicodedata.normalize("NFC", vietnamese)


def test_every_parameter_that_can_be_refused_has_its_sentence() -> None:
    for parameter in ("tenant_id", "status", "page", "lead"):
        with pytest.raises(BadParameter):
            read_address({parameter: "?"})
        assert all(parameter in words.bad_parameter[parameter] for words in LEAD_WORDS.values())
    assert all("lang" in words.bad_parameter["lang"] for words in LEAD_WORDS.values())


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
