"""What hides or reorders text is shown by its code; what people write is left alone."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.page_frame.unseen_characters import FEW_MARKS, MOST_MARKS, Piece, few_pieces, is_blank, pieces, plain


@pytest.mark.parametrize(
    "text",
    [
        "Báo giá giúp mình với ạ\nsố 0912",
        "cột\tgiá",
        "👨‍👩‍👧 và 👍🏽‍♀ và ❤️",
        "नमस्ते क्‍ष",
        "مرحبا ١٢٣ \u0600",
        "ho\u0302\u0301p",  # decomposed, as some phones type
        "Z\u0337\u0322a\u0338",
    ],
)
def test_ordinary_writing_is_one_piece(text: str) -> None:
    assert pieces(text) == [Piece(text, is_unseen=False)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("a\u200db", "a⟨U+200D⟩b"),
        ("\x1b[31mred\x07", "⟨U+001B⟩[31mred⟨U+0007⟩"),
        ("\u2066\u2066\u2069", "⟨U+2066 ×2⟩⟨U+2069⟩"),
        ("\ufeffx\u2028y", "⟨U+FEFF⟩x⟨U+2028⟩y"),
        ("\u3164", "⟨U+3164⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("a\r\nb\rc", "a\nb\nc"),
    ],
)
def test_unseen_characters_are_shown_by_their_code(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_text_full_of_them_does_not_become_a_page_of_marks() -> None:
    text = "a\u202e" * 30_000
    assert sum(piece.is_unseen for piece in pieces(text)) == MOST_MARKS
    assert plain(text).count("\ufffd") == 30_000 - MOST_MARKS
    assert pieces(text)[-1] == Piece("a\ufffd" * (30_000 - MOST_MARKS), is_unseen=False), "one piece, however much is left"


@pytest.mark.parametrize("text", ["a\u200b" * 4_000, "\u200b\u200c" * 4_000, "\u200b" * 8_000, "\x00\x01a" * 20_000, "a\u200d\ufeff" * 9])
def test_pieces_are_as_few_as_marks_are(text: str) -> None:
    assert len(pieces(text)) <= 2 * MOST_MARKS + 1
    assert len(few_pieces(text)) <= 2 * FEW_MARKS + 1
    assert sum(piece.is_unseen for piece in few_pieces(text)) <= FEW_MARKS


@given(st.text(st.sampled_from("ab \n\u200b\u200d\u202e👩\u3164"), max_size=60), st.integers(0, 5))
def test_past_the_cap_nothing_is_hidden_and_nothing_visible_is_lost(text: str, most_marks: int) -> None:
    shown = pieces(text, most_marks)
    assert sum(piece.is_unseen for piece in shown) <= most_marks
    assert len(shown) <= 2 * most_marks + 1
    seen = "".join(piece.text for piece in shown if not piece.is_unseen)
    assert not set(seen) & set("\u200b\u202e\u3164")
    assert [character for character in seen if character in "ab \n👩"] == [character for character in text if character in "ab \n👩"]


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        (None, True),
        ("", True),
        (" \u00a0\n", True),
        ("\u3164\u200b", True),
        (".", False),
        ("\u200ba", False),
        ("\u200b\u200c" * 9_000, True),
        ("👩\u200d", False),
    ],
)
def test_blank_means_that_nothing_would_be_seen(text: str | None, blank: bool) -> None:
    assert is_blank(text) is blank


@given(st.text(st.characters(), max_size=200))
def test_nothing_that_reorders_or_controls_is_left(text: str) -> None:
    shown = plain(text)
    shown.encode()  # lone surrogates included
    assert not [character for character in shown if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} and character not in "\n\t"]
    assert not set(shown) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u200b\ufeff")


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"], exclude_characters="\u115f\u1160\u3164\uffa0\u2800"), max_size=200
    )
)
def test_seen_text_is_kept_whole(text: str) -> None:
    assert plain(text) == text
