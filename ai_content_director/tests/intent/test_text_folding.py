"""Every token knows where it stands in the text as it came; and the same text folds the same, however its signs were put together."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lead_signals.intent.contact.contact_details import find_contact_details
from lead_signals.intent.folding import text_folding
from lead_signals.intent.folding.syllable import LONGEST_REMEMBERED, fold_word
from lead_signals.intent.folding.text_folding import EMOJI, LINK, MONEY, NUMBER, PHONE, QUESTION, WORD, Token, fold_text
from lead_signals.intent.pack.rule_pack import packaged_rule_pack

MARKS = [chr(code) for code in range(0x300, 0x370)]
UNSEEN = ["\u00ad", "\u200b", "\u200d", "\u202e", "\u2066", "\u2069", "\u206f", "\ufe0f", "\ufeff", "\u3164", "\U000e0067", "\U000e0100"]
DECORATION = ["\u0332", "\u0336", "\u1dc4", "\u20dd", "\ufe2f"]
PARTS = ["giá", "Giá", "GÍA", "ế", "Ờ", "đ", "k", "sđt", "200", "triệu", "tr", "$", "?", ".", ",", "\n", "\t", " ", "  ", ":))", ":D", "❤️",
         "👍🏽", "www.a.vn/giá", "https://", "ｇｉá", "𝐠𝐢𝐚́", "Мua", "가격", "が", "क़", "شُكْر", "ß", "İ", "ǅ", "ﬁ"]  # fmt: skip
# Marks of other scripts than Latin, Greek and Cyrillic stand alone in no word; those that letters decompose into are among PARTS.
signs = st.characters(exclude_categories=["Cs", "Mn", "Mc", "Me"]) | st.sampled_from(MARKS) | st.sampled_from(UNSEEN)
texts = st.lists(st.sampled_from(PARTS) | st.sampled_from(MARKS + UNSEEN) | signs, max_size=25).map("".join)


def meanings(tokens: list[Token]) -> list[tuple[object, ...]]:
    """All of the tokens but where they stand."""
    return [(*token[:3], *token[5:]) for token in tokens]


@given(st.text() | texts)
@settings(deadline=None)
def test_tokens_stand_in_order_inside_the_text(text: str) -> None:
    tokens = fold_text(text, packaged_rule_pack().abbreviations, find_contact_details(text).places)
    assert all(0 <= one.start < one.end <= len(text) for one in tokens)
    for one, following in pairwise(tokens):
        written_out = (one.start, one.end) == (following.start, following.end)
        assert written_out or one.end <= following.start


@given(st.text() | texts)
@settings(deadline=None)
def test_what_a_token_stands_on_is_what_was_folded(text: str) -> None:
    for one in fold_text(text):
        if one.kind == WORD:
            assert fold_word(text[one.start : one.end]) == (one.folded, one.bare, one.typed_diacritics, one.capitalised)
        elif one.kind != MONEY:
            assert [each.folded for each in fold_text(text[one.start : one.end])] == [one.folded]


@given(texts)
@example(":Ď ᾼ")  # no face, no name
@settings(deadline=None)
def test_composed_and_decomposed_text_fold_the_same(text: str) -> None:
    assume(not set("≮≯") & set(unicodedata.normalize("NFC", text)))  # decomposed they begin with < and >, where a link ends
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert meanings(fold_text(composed)) == meanings(fold_text(decomposed))


@given(texts)
@settings(deadline=None)
def test_how_a_text_is_cut_into_chunks_changes_nothing(text: str) -> None:
    """Between two spaces a text is read at once and remembered; a tab is a space too, and makes chunks too long to remember."""
    tabbed = text.replace(" ", "\t")
    assert fold_text(text) == fold_text(tabbed)


@pytest.mark.parametrize("unseen", [*UNSEEN, *DECORATION, "\u061c", "\u115f", "\u2060", "\uffa0", "\u202a\u2068"])
def test_what_cannot_be_seen_and_what_only_decorates_is_nothing(unseen: str) -> None:
    hidden = unseen.join(" báo giá ".strip())
    tokens = fold_text(f"{unseen} {hidden}{unseen}?")
    assert [one.folded for one in tokens] == ["báo", "giá", "?"]
    assert tokens[0].start == len(unseen) + 1  # a word begins with the first sign of it that is seen
    assert [one.typed_diacritics for one in tokens[:2]] == [True, True]


@pytest.mark.parametrize(
    "styled",
    ["ｂáｏ ｇｉá", "ＢÁＯ ＧＩÁ", "𝐛𝐚́𝐨 𝐠𝐢𝐚́", "𝒃𝒂́𝒐 𝒈𝒊𝒂́", "𝓫𝓪́𝓸 𝓰𝓲𝓪́", "𝖇𝖆́𝖔 𝖌𝖎𝖆́", "𝚋𝚊́𝚘 𝚐𝚒𝚊́", "𝗯𝗮́𝗼 𝗴𝗶𝗮́",
     "𝕓𝕒́𝕠 𝕘𝕚𝕒́", "bа́о giа́", "b̲á̲o̲ g̲i̲á̲", "báooo giáááá", "baó gía"],
)  # fmt: skip
def test_letters_of_another_style_are_the_same_letters(styled: str) -> None:
    tokens = fold_text(styled)
    assert [one.folded for one in tokens] == ["báo", "giá"]
    assert "".join(styled[one.start : one.end] for one in tokens) == styled.replace(" ", "")


def test_an_abbreviation_is_written_out_and_keeps_its_place() -> None:
    text = "xin sđt nhé"
    tokens = fold_text(text, packaged_rule_pack().abbreviations)
    assert [token.folded for token in tokens] == ["xin", "số", "điện", "thoại", "nhé"]
    assert {text[token.start : token.end] for token in tokens[1:4]} == {"sđt"}


def test_numbers_money_phones_and_questions_are_told_apart() -> None:
    text = "200k hay 2 triệu, 5 túi, 2túi, k biết, 0912 345 678? 5$ 5 $ 3.500.000đ 83.333333"
    kinds = {text[token.start : token.end]: token.kind for token in fold_text(text, {}, find_contact_details(text).places)}
    assert {one for one, kind in kinds.items() if kind == MONEY} == {"200k", "2 triệu", "5$", "5 $", "3.500.000đ"}
    assert kinds["5"] == kinds["2"] == NUMBER
    assert kinds["túi"] == kinds["k"] == WORD
    assert kinds["0912 345 678"] == PHONE
    assert kinds["?"] == QUESTION
    assert fold_text(text)[-1].folded == "83.333333"


def test_links_and_faces_are_one_token_each() -> None:
    text = "xem https://x.example/Giá?a=1 đi :)))))) 👍🏽"
    assert [(one.folded, one.kind) for one in fold_text(text)] == [
        ("xem", WORD), ("https://x.example/giá?a=1", LINK), ("đi", WORD), (":))", EMOJI), ("👍", EMOJI), ("🏽", EMOJI),
    ]  # fmt: skip


def test_sentences_and_clauses_are_counted() -> None:
    tokens = fold_text("không cần, báo giá nhé. Gọi lại?\nDạ")
    assert [(token.sentence, token.clause) for token in tokens] == [(0, 0), (0, 0), (0, 1), (0, 1), (0, 1), (1, 2), (1, 2), (1, 2), (3, 4)]


def test_only_short_stretches_are_remembered() -> None:
    """Or a hundred thousand different ones, each as long as a comment may be, would fill the memory."""
    before = text_folding._remembered_pieces.cache_info()
    fold_text("x" * (LONGEST_REMEMBERED + 1) + " " + "giá" * LONGEST_REMEMBERED)
    assert text_folding._remembered_pieces.cache_info() == before
    fold_text("x" * LONGEST_REMEMBERED)
    assert text_folding._remembered_pieces.cache_info().misses == before.misses + 1
