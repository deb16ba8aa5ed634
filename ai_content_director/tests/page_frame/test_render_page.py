"""The frame: every page escapes, knows its language, and stops at a name nobody gave."""

from pathlib import Path

import html5lib
import pytest
from jinja2 import Environment, UndefinedError

from lead_signals.page_frame.language import Language
from lead_signals.page_frame.render_page import Choice, Frame, Switcher, page_templates, render_page

HOSTILE = "<i>\"'&\u202e</i>"


def frame(language: Language = Language.VI, *, switcher: Switcher | None = None, place: str | None = None) -> Frame:
    return Frame(HOSTILE, language, {Language.VI: "/?lang=vi", Language.EN: "/?lang=en"}, switcher, place)


@pytest.fixture
def templates(tmp_path: Path) -> Environment:
    (tmp_path / "thing.txt").write_text("{{ thing }}", encoding="utf-8")  # escaped although it is no .html
    (tmp_path / "careless.html").write_text("{{ absent }}", encoding="utf-8")
    return page_templates(tmp_path)


def notice(templates: Environment, given: Frame) -> str:
    values = {"heading": "h", "sentence": HOSTILE, "next_words": "w", "next_address": "/"}
    return render_page(templates, "page_frame/notice_page.html", given, **values)


def test_everything_is_escaped_whatever_the_file_is_called(templates: Environment) -> None:
    assert render_page(templates, "thing.txt", frame(), thing="<b>") == "&lt;b&gt;"


def test_a_name_nobody_gave_is_an_error(templates: Environment) -> None:
    with pytest.raises(UndefinedError):
        render_page(templates, "careless.html", frame())


@pytest.mark.parametrize("language", Language)
def test_a_page_says_its_language_and_links_to_the_other(templates: Environment, language: Language) -> None:
    document = html5lib.parse(notice(templates, frame(language)), namespaceHTMLElements=False)
    assert document.get("lang") == language.value
    links = document.findall(".//nav[@class='languages']/a")
    assert [(link.get("lang"), link.get("href"), link.get("aria-current")) for link in links] == [
        ("vi", "/?lang=vi", "true" if language is Language.VI else None),
        ("en", "/?lang=en", "true" if language is Language.EN else None),
    ]


def test_title_place_and_choices_show_hostile_names_as_text(templates: Environment) -> None:
    switcher = Switcher("Doanh nghiệp", "Chuyển", "tenant_id", [Choice("1", HOSTILE, is_chosen=True), Choice("2", "b", is_chosen=False)])
    document = html5lib.parse(notice(templates, frame(switcher=switcher)), namespaceHTMLElements=False)
    assert document.findtext(".//title") == "<i>\"'&⟨U+202E⟩</i> – Lead Signals"
    assert [(option.text, option.get("selected")) for option in document.findall(".//option")] == [("<i>\"'&⟨U+202E⟩</i>", ""), ("b", None)]
    placed = html5lib.parse(notice(templates, frame(place=HOSTILE)), namespaceHTMLElements=False)
    assert ["".join(place.itertext()) for place in placed.findall(".//p[@class='place']")] == ["<i>\"'&U+202E</i>"]


def test_no_page_needs_what_the_content_security_policy_forbids(templates: Environment) -> None:
    document = html5lib.parse(notice(templates, frame()), namespaceHTMLElements=False)
    for element in document.iter():
        if isinstance(element.tag, str):  # comments are none
            assert element.tag != "style"
            assert not [name for name in element.attrib if name == "style" or name.startswith("on")]
            assert element.tag != "script" or element.get("src", "").startswith("/static/")
            assert not element.get("src", "/").startswith("//")
