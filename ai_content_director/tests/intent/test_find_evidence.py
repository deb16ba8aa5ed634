"""Which match of a rule is shown, and what keeps it silent: a pack of two rules, every case worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lead_signals.intent.evidence.find_evidence import find_evidence
from lead_signals.intent.folding.text_folding import Token, fold_text
from lead_signals.intent.pack.rule_pack import PatternOwner, Role, RulePack, packaged_rule_pack
from lead_signals.intent.patterns.pattern import read_pattern
from lead_signals.intent.patterns.pattern_walk import Found, PatternTree

WORDINGS: dict[PatternOwner, tuple[str, ...]] = {
    PatternOwner(Role.RULE, 0): ("thử máy", "thử ~3 trước", "giá", "máy ~2 giá"),
    PatternOwner(Role.UNLIKE, 0): ("giá đỡ",),
    PatternOwner(Role.UNLESS, 0): ("khuyến mãi",),
    PatternOwner(Role.RULE, 1): ("ghế",),
    PatternOwner(Role.ONLY_WITH, 1): ("bàn",),
    PatternOwner(Role.IDIOM): ("đánh giá", "một bàn"),
    PatternOwner(Role.NEGATOR): ("không",),
    PatternOwner(Role.DIRECT_NEGATOR): ("miễn",),
    PatternOwner(Role.NO_NEGATOR): ("không biết",),
}


@pytest.fixture(scope="module")
def pack() -> RulePack:
    some_rule = packaged_rule_pack().rules[0]
    owners = tuple(WORDINGS)
    return RulePack(
        name="two rules",
        rules=(
            replace(some_rule, name="price", weight=0.8, only_with=(), at_most_words=None, negatable=True),
            replace(some_rule, name="chair", weight=0.8, only_with=("bàn",), at_most_words=4, negatable=False),
        ),
        owners=owners,
        tree=PatternTree(
            (number, path) for number, owner in enumerate(owners) for text in WORDINGS[owner] for path in read_pattern(text, {})
        ),
        particles=frozenset({"ạ"}),
        abbreviations={},
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("thử máy trước", [("thử máy", 0.8)]),  # two words either way: the shorter one
        ("GIÁ xe, giá ghế", [("GIÁ", 0.8)]),  # the first of two
        ("gia này, giá kia", [("giá", 0.8)]),  # the one that is no guess
        ("giá thử máy", [("thử máy", 0.8)]),  # the one with more words
        ("gia", [("gia", 0.36)]),  # 0.8 * 0.45: one bare word
        ("thu may", [("thu may", 0.576)]),  # 0.8 * 0.72: a bare phrase in a bare text
        ("thu may này đẹp", [("thu may", 0.36)]),  # and in a text typed with diacritics
        ("giá đỡ", []),
        ("giá đỡ này giá sao", [("giá", 0.8)]),
        ("khuyến mãi giá", []),
        ("khuyen mai giá", []),  # a phrase silences without its diacritics too
        ("đánh giá", []),
        ("đánh giá xong, giá sao", [("giá", 0.8)]),
        ("không cần hỏi giá", []),  # two words between
        ("không cần phải hỏi giá", [("giá", 0.8)]),  # three: too far
        ("không cần, giá sao", [("giá", 0.8)]),
        ("không biết giá", [("giá", 0.8)]),
        ("miễn giá", []),
        ("miễn hỏi giá", [("giá", 0.8)]),
        ("máy không giá", []),  # a negation inside a gap
        ("ghế", []),
        ("bàn ghế", [("ghế", 0.8)]),
        ("một bàn ghế", []),  # the table is part of an idiom
        ("bàn và hai ghế", [("ghế", 0.8)]),
        ("bàn và ba ghế gỗ", []),  # five words
        ("bàn và hai ghế 😍 😍", [("ghế", 0.8)]),  # a face is no word
        ("ạ", []),
        ("", []),
    ],
)
def test_what_is_shown_of_a_text(text: str, shown: list[tuple[str, float]], pack: RulePack) -> None:
    evidence = find_evidence(text, fold_text(text), pack)
    assert [(one.matched, one.weight) for one in evidence] == shown


def test_evidence_comes_in_the_order_of_the_text(pack: RulePack) -> None:
    text = "bàn ghế thử máy"
    evidence = find_evidence(text, fold_text(text), pack)
    assert [(one.rule, text[one.start : one.end]) for one in evidence] == [("chair", "ghế"), ("price", "thử máy")]


def test_the_order_in_which_matches_are_found_decides_nothing(pack: RulePack) -> None:
    """A tenant's wordings are a tree of their own, and what two trees find does not come by place."""

    class Backwards:
        def walk(self, tokens: Sequence[Token], opening: int, closing: int) -> list[Found]:
            return pack.tree.walk(tokens, opening, closing)[::-1]

    for text in ("thử máy trước", "GIÁ xe, giá ghế", "gia này, giá kia", "không biết giá", "đánh giá xong, giá sao"):
        tokens = fold_text(text)
        assert find_evidence(text, tokens, replace(pack, tree=Backwards())) == find_evidence(text, tokens, pack)
