"""Whatever a stranger writes, as text or as name, the page keeps its tags and attributes: those of a lead that says "x"."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lead_signals.leads.lead_list import Lead
from lead_signals.leads.matched_words import MOST_EVIDENCE
from lead_signals.leads.shown_lead import MOST_ANSWERS, MOST_CONTACTS
from lead_signals.leads.shown_text import LONG_TEXT_CHARACTERS, LONG_TEXT_LINES, MOST_SHOWN_CHARACTERS
from lead_signals.page_frame.unseen_characters import FEW_MARKS, MOST_MARKS, is_blank, plain
from lead_signals.platforms.spoken_text import LONGEST_DETAIL_CHARACTERS, LONGEST_NAME_CHARACTERS, LONGEST_TEXT_CHARACTERS
from tests.leads.hostile_texts import HOSTILE_TEXTS
from tests.leads.page_trees import Tree, leads_in, parsed, rendered, shape, words_of
from tests.leads.sample_leads import TENANT, sample_lead

LEADS_PER_RENDERING = 50


def lead_saying(number: int, text: str, name: str) -> Lead:
    """A lead without verdict or contacts: only text and name differ between two of the same number."""
    return replace(sample_lead(number, text="x"), content_text=text, author_name=name, meta={})


def assert_same_shape(texts: Sequence[str]) -> None:
    for start in range(0, len(texts), LEADS_PER_RENDERING):
        some = texts[start : start + LEADS_PER_RENDERING]
        hostile = rendered([lead_saying(number, text, text) for number, text in enumerate(some)])
        page, shapes = _harmless_shapes(tuple(_harmless(text) for text in some))
        document = parsed(hostile)
        for text, seen, wanted in zip(some, leads_in(document), shapes, strict=True):
            assert shape(seen) == wanted, f"changes the page: {text!r}"
            assert_readable(text, seen)
        assert shape(document) == page


def assert_readable(text: str, lead: ElementTree.Element) -> None:
    """Every character can be read, too: hiding would be another way to break the page."""
    if not is_blank(text):
        assert _bare(plain(text[:MOST_SHOWN_CHARACTERS]).replace("⟨", "").replace("⟩", "")) in _bare(
            words_of(lead).replace("⟨", "").replace("⟩", "")
        )


@cache
def _harmless_shapes(texts: tuple[str, ...]) -> tuple[Tree, tuple[Tree, ...]]:
    """The shape of the page that says these, and of each of its leads."""
    document = parsed(rendered([lead_saying(number, text, "x" if text else " ") for number, text in enumerate(texts)]))
    return shape(document), tuple(shape(lead) for lead in leads_in(document))


def _bare(text: str) -> str:
    return "".join(text.split())


def _harmless(text: str) -> str:
    """ "x"; blank and long texts are laid out differently, so those are compared with an x of their kind."""
    if is_blank(text):
        return ""
    if len(text) > MOST_SHOWN_CHARACTERS:
        return "x" * (MOST_SHOWN_CHARACTERS + 1)
    return "x" * (LONG_TEXT_CHARACTERS + 1) if len(text) > LONG_TEXT_CHARACTERS or len(text.splitlines()) > LONG_TEXT_LINES else "x"


def test_our_own_hostile_texts() -> None:
    assert_same_shape(HOSTILE_TEXTS)


def test_our_own_hostile_texts_made_long() -> None:
    assert_same_shape([text * (LONG_TEXT_CHARACTERS // len(text) + 1) for text in HOSTILE_TEXTS])


def test_the_measure_notices_an_element_too_many() -> None:
    """A comparison that cannot fail would prove nothing."""
    page = rendered([lead_saying(0, "x", "x")])
    assert shape(parsed(page)) != shape(parsed(page.replace("<bdi>x</bdi>", "<bdi><b>x</b></bdi>", 1)))
    assert shape(parsed(page)) != shape(parsed(page.replace("<bdi>", "<bdi onclick=alert(1)>", 1)))


def test_naughty_strings(shared: Path) -> None:
    lines: list[str] = json.loads((shared / "corpora/blns/blns.json").read_text(encoding="utf-8"))
    assert len(lines) > 500
    assert_same_shape(lines)


def test_cross_site_scripting_strings(shared: Path) -> None:
    lines = (shared / "corpora/xss/Intruder/xss-payload-list.txt").read_text(encoding="utf-8").split("\n")
    assert len(lines) > 6_000
    assert_same_shape([line for line in lines if line])


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_everything_else_a_delivery_can_write_is_text_too(hostile: str) -> None:
    """Rule names, numbers, addresses, ids, platform and form answers come from rows, and rows from strangers or other versions."""
    meta = {
        "evidence": [{"rule": hostile, "start": 0, "end": 3, "intent_label": hostile}],
        "phones": [hostile],
        "emails": [hostile],
        "permalink_url": hostile,
        "field_data": [{"name": hostile, "values": [hostile]}],
        "attachments": [{"type": hostile}],
    }
    fields: dict[str, Any] = {
        "platform": hostile,
        "source_type": hostile,
        "external_post_id": hostile,
        "status": hostile,
        "intent_label": hostile,
    }
    lead = replace(sample_lead(0, text="báo giá"), meta=meta, **fields, priority=hostile)
    (element,) = leads_in(parsed(rendered([lead])))
    for inner in element.iter():
        assert not [name for name in inner.attrib if name.startswith("on") or name in {"style", "src", "srcdoc"}]
        assert inner.tag not in {"script", "img", "iframe", "svg", "style", "base", "meta", "link", "math", "template", "object"}
        assert inner.get("href", "").startswith(("tel:+", "mailto:")) or inner.get("href") is None


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_a_hostile_tenant_name_is_text(name: str) -> None:
    harmless, hostile = parsed(rendered([])), parsed(rendered([], replace(TENANT, name=name)))
    assert shape(hostile) == shape(harmless)
    assert is_blank(name) or _bare(plain(name)) in _bare(words_of(hostile))


# ---- a page has a size, whatever fifty strangers write ----

MOST_MARKS_PER_LEAD = 2 * MOST_MARKS + FEW_MARKS * (2 + MOST_CONTACTS + 2 * MOST_ANSWERS + MOST_EVIDENCE)
"""Text and excerpt; name and post; contacts; questions and answers; the quote of each reason."""
MOST_STRETCHES_PER_LEAD = 2 * (2 * MOST_EVIDENCE + 1)
MOST_OTHER_TAGS_PER_LEAD = 1_000
MOST_BYTES_PER_LEAD = 350_000
"""Every field at its longest at once, a forged verdict too; what text and name alone can do is measured below."""

OVERFULL = ("a\u200b", "\u200b\u200c", '"', "\u202e\ufffd", "a", "\n", "\u0337", "\U0001f468\u200d", "\ud800", "\x1b ")


def overfull_lead(number: int, unit: str) -> Lead:
    """All a delivery may bring, at its longest, made of one unit."""

    def of_length(characters: int) -> str:
        return (unit * characters)[:characters]

    label = of_length(LONGEST_DETAIL_CHARACTERS)
    evidence = [{"rule": f"{place}{label}", "start": 3 * place, "end": 9_000, "intent_label": label} for place in range(1_000)]
    answer = {"name": label, "values": [label] * 20}
    meta = {"evidence": evidence, "field_data": [answer] * 100, "phones": [label] * 700, "emails": [label] * 700}
    return replace(
        sample_lead(number, text="x"),
        content_text=of_length(LONGEST_TEXT_CHARACTERS),
        author_name=of_length(LONGEST_NAME_CHARACTERS),
        external_post_id=of_length(LONGEST_NAME_CHARACTERS),
        meta=meta,
    )


@pytest.mark.parametrize("unit", OVERFULL)
def test_fifty_overfull_leads_make_a_page_of_bounded_size(unit: str) -> None:
    html = rendered([overfull_lead(number, unit) for number in range(LEADS_PER_RENDERING)])
    assert html.count('<li class="lead ') == LEADS_PER_RENDERING
    assert html.count('class="unseen"') <= LEADS_PER_RENDERING * MOST_MARKS_PER_LEAD
    assert html.count("<mark") <= LEADS_PER_RENDERING * MOST_STRETCHES_PER_LEAD
    assert html.count("<") <= LEADS_PER_RENDERING * (2 * (MOST_MARKS_PER_LEAD + MOST_STRETCHES_PER_LEAD) + MOST_OTHER_TAGS_PER_LEAD)
    assert len(html.encode("utf-8", "replace")) <= LEADS_PER_RENDERING * MOST_BYTES_PER_LEAD


def test_fifty_comments_of_hidden_characters_stay_a_small_page() -> None:
    """The plain case, without a forged verdict: two hundred marks for each text, a few for the name, and a page under two megabytes."""
    text = "a\u200b" * (LONGEST_TEXT_CHARACTERS // 2)
    html = rendered([lead_saying(number, text, text[:LONGEST_NAME_CHARACTERS]) for number in range(LEADS_PER_RENDERING)])
    assert html.count('class="unseen"') == LEADS_PER_RENDERING * (2 * MOST_MARKS + FEW_MARKS)
    assert len(html.encode()) < 2_000_000


def test_marks_of_unseen_characters_are_counted_over_all_matches_of_a_text() -> None:
    """Forty matches of a text must not mean forty times as many marks."""
    text = "a\u200b" * 2_000
    evidence = [{"rule": "r", "start": 50 * place, "end": 50 * place + 25, "intent_label": "thanks"} for place in range(MOST_EVIDENCE)]
    (lead,) = leads_in(parsed(rendered([replace(lead_saying(0, text, "x"), meta={"evidence": evidence})])))
    (words,) = (found for found in lead.iter("p") if found.get("class") == "words")
    assert len(list(words.iter("mark"))) == MOST_EVIDENCE
    assert len([code for code in words.iter("code") if code.get("class") == "unseen"]) == MOST_MARKS
