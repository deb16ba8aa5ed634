"""WCAG 2.2 AA, measured from the style sheet: 4.5:1 for text, 3:1 for the edges of things to press and for the focus ring."""

import re

import pytest

from lead_signals.page_frame.static_file import STATIC_FOLDER

STYLE = (STATIC_FOLDER / "style.css").read_text(encoding="utf-8")

TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "link") for ground in ("ground", "surface", "raised")),
    ("bar-ink", "bar"),
    ("bar-soft", "bar"),
    ("chosen-ink", "chosen"),
    ("mark-ink", "mark"),
    ("auto", "auto-ground"),
    ("draft", "draft-ground"),
    ("person", "person-ground"),
    ("done", "done-ground"),
    ("urgent", "surface"),
]
EDGES = [
    ("edge", "surface"),
    ("edge", "ground"),
    ("bar-edge", "bar"),
    ("focus", "surface"),
    ("focus", "ground"),
    ("mark-line", "surface"),
    ("chosen", "ground"),
]


def colours(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    assert len(blocks) == 2, "one :root for light, one for dark"
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[scheme == "dark"]))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(scheme: str, ink: str, ground: str) -> None:
    named = colours(scheme)
    assert contrast(named[ink], named[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_can_be_seen(scheme: str, edge: str, ground: str) -> None:
    named = colours(scheme)
    assert contrast(named[edge], named[ground]) >= 3


def test_both_schemes_name_the_same_colours_and_nothing_else_names_one() -> None:
    assert colours("light").keys() == colours("dark").keys()
    rules = re.sub(r"/\*.*?\*/", "", re.sub(r":root \{.*?\}", "", STYLE, flags=re.DOTALL), flags=re.DOTALL)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", rules)
    assert set(re.findall(r"var\(--([a-z-]+)\)", rules)) == colours("light").keys()
