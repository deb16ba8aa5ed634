"""Every word of the lead pages exists in both languages, for every value the database allows."""

import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from lead_signals.intent.verdict import IntentLabel, Priority
from lead_signals.leads.lead_list import Lead, LeadPage
from lead_signals.leads.lead_page_address import BadParameter, LeadPageAddress, read_address
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.lead_words import LEAD_WORDS, LeadWords
from lead_signals.leads.render_leads import Reader, TenantLeads, render_leads, render_no_tenants, render_notice, render_tenant_list
from lead_signals.page_frame.language import FRAME_WORDS, FrameWords, Language
from lead_signals.platforms.inbound_signal import SourceType
from tests.leads.page_trees import parsed
from tests.leads.sample_leads import NOW, OTHER_TENANT, TENANT, edited_lead, sample_lead

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


# ---- English pages ----

ENGLISH = Reader(Language.EN, NOW, "http://127.0.0.1:8000")
COMPANY = replace(TENANT, name="Morning Star", industry="Paper")
_OTHER_COMPANY = replace(OTHER_TENANT, name="Evening Star", industry="Wood")
_NO_ENGLISH_LETTER = re.compile(r"[^\W\d_a-zA-Z]+")


def english_pages() -> dict[str, str]:
    """Every page there is, filled with everything that has words of its own; the people in it are called and write in English letters."""
    changed, versions = edited_lead(103, "", *(f"How much for {number}?" for number in range(9)), meta={"hidden": True, "removed_at": ""})
    once, versions_of_once = edited_lead(104, "Thanks", "How much is it?")
    leads = [
        *(replace(lead, author_name="Ann") for lead in (changed, once)),
        *(lead_in_english(number, status=status.value) for number, status in enumerate(LeadStatus)),
        *(lead_in_english(20 + number, intent_label=label.value) for number, label in enumerate(IntentLabel)),
        *(lead_in_english(40 + number, priority=priority.value) for number, priority in enumerate(Priority)),
        *(lead_in_english(60 + number, source_type=source.value, text="") for number, source in enumerate(SourceType)),
        *(
            lead_in_english(80 + number, meta={"attachments": [{"type": kind}]}, text="")
            for number, kind in enumerate(LEAD_WORDS[Language.EN].attachments)
        ),
        replace(lead_in_english(100, text="price? " * 2_000), author_name=None),
        lead_in_english(101, text="a\u200bb", meta={"phones": ["+84912345678"] * 9, "emails": ["a@b.example"]}),
        lead_in_english(102, text="", meta={"field_data": [{"name": "city", "values": ["Hue"]}] * 30}),
    ]
    seen = TenantLeads(COMPANY, [COMPANY, _OTHER_COMPANY], LeadPage(leads, 2_000), dict.fromkeys(LeadStatus, 1_200), leads[2])
    seen = replace(seen, versions={changed.id: versions, once.id: versions_of_once})
    here, nobody = LeadPageAddress(tenant_id=COMPANY.id), LeadPageAddress()
    words = LEAD_WORDS[Language.EN]
    nothing = TenantLeads(COMPANY, [COMPANY], LeadPage([], 0), {})
    return {
        "leads": render_leads(seen, replace(here, page=2, lead_id=leads[2].id), ENGLISH),
        "no leads": render_leads(nothing, here, ENGLISH),
        "no leads of a status": render_leads(nothing, replace(here, status=LeadStatus.WON), ENGLISH),
        "a lead that is gone": render_leads(nothing, replace(here, lead_id=COMPANY.id), ENGLISH),
        "companies": render_tenant_list([COMPANY, _OTHER_COMPANY], nobody, ENGLISH),
        "no companies": render_no_tenants(nobody, ENGLISH),
        **{name: render_notice(words.bad_address_heading, said, (words.to_start, "/"), nobody, ENGLISH)
           for name, said in words.bad_parameter.items()},
        "unknown": render_notice(words.unknown_tenant_heading, words.unknown_tenant, (words.to_start, "/"), nobody, ENGLISH),
        "beyond": render_notice(words.no_such_page_heading, words.no_such_page, (words.to_first_page, "/"), nobody, ENGLISH),
    }  # fmt: skip


def lead_in_english(number: int, *, text: str = "How much is it?", **given: Any) -> Lead:
    return replace(sample_lead(number, text=text, **given), author_name="Ann")


def said_on(page: str) -> list[str]:
    """All that is read on a page or told about it by its attributes, but the language switcher's own names."""
    document = parsed(page)
    for switcher in document.iter("nav"):
        if switcher.get("class") == "languages":
            for link in switcher.findall("a"):
                switcher.remove(link)
    told = [text.strip() for text in document.itertext()]
    told += [element.get(name, "") for element in document.iter() for name in element.attrib if name not in {"href", "id", "value"}]
    return [text for text in told if text]


def test_an_english_page_says_nothing_in_vietnamese() -> None:
    for name, page in english_pages().items():
        said = said_on(page)
        assert len(said) > 15, name
        assert [text for text in said if _NO_ENGLISH_LETTER.search(text)] == [], name
        assert set(said) & vietnamese_only() == set(), name


def test_the_same_pages_would_be_noticed_in_vietnamese() -> None:
    """A measure that finds nothing anywhere would prove nothing."""
    said = said_on(render_no_tenants(LeadPageAddress(), replace(ENGLISH, language=Language.VI)))
    assert [text for text in said if _NO_ENGLISH_LETTER.search(text)]
    assert set(said) & vietnamese_only()


def vietnamese_only() -> set[str]:
    """Words of the Vietnamese console that the English one does not have, those in plain letters ("Spam") among them."""
    return _all_words(Language.VI) - _all_words(Language.EN)


def _all_words(language: Language) -> set[str]:
    words = [getattr(LEAD_WORDS[language], name) for name in NAMES]
    words += [getattr(FRAME_WORDS[language], field.name) for field in fields(FrameWords)]
    return {word for some in words for word in (some.values() if isinstance(some, Mapping) else [some]) if isinstance(word, str)}


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
