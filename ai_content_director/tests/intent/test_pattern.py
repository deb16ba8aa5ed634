"""What a pattern fits, and what it must refuse to be."""

import pytest

from lead_signals.intent.folding.text_folding import fold_text
from lead_signals.intent.patterns.pattern import PatternError, read_pattern
from lead_signals.intent.patterns.pattern_walk import PatternTree

SETS = {"unit": ("túi", "bộ bàn", "cái"), "count": ("#number", "hai")}


def fits(pattern: str, text: str) -> list[tuple[str, int]]:
    """(matched text, guessed words) for everything the pattern fits, longest first."""
    tokens = fold_text(text)
    tree = PatternTree((0, wording) for wording in read_pattern(pattern, SETS))
    found = tree.walk(tokens, 0, len(tokens))
    fitted = [(text[tokens[one.first].start : tokens[one.after - 1].end], one.fit.guessed) for one in found]
    return sorted(fitted, key=lambda one: -len(one[0]))


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("báo giá", "xin Báo Giá nhé", [("Báo Giá", 0)]),
        ("báo giá", "xin bao gia nhe", [("bao gia", 2)]),
        ("báo giá", "xin báo gia nhe", [("báo gia", 1)]),
        ("báo giá", "bảo già", []),
        ("báo giá", "báo già", []),
        ("báo giá", "báo. Giá", []),
        ("mua", "mưa", []),
        ("giá {bao nhiêu|sao}", "giá sao, giá bao nhiêu", [("giá bao nhiêu", 0), ("giá sao", 0)]),
        ("[em] mua", "em mua", [("em mua", 0), ("mua", 0)]),
        ("giá ~2 sao", "giá cái này sao", [("giá cái này sao", 0)]),
        ("giá ~1 sao", "giá cái này sao", []),
        ("giá ~2 sao", "giá này, sao", []),
        ("@count @unit", "hai túi 3 bộ bàn", [("3 bộ bàn", 0), ("hai túi", 0)]),
        ("#money", "200k và 300", [("200k", 0)]),
        ("^giá$", "giá", [("giá", 0)]),
        ("^giá$", "giá này", []),
        ("^giá ~2$", "giá cái này", [("giá cái này", 0)]),
        ("^ib", "xin ib", []),
        ("được không ?", "được không?", [("được không?", 0)]),
        ("#name #name", "Lê Minh ơi", [("Lê Minh", 0)]),
    ],
)
def test_patterns_fit(pattern: str, text: str, found: list[tuple[str, int]]) -> None:
    assert fits(pattern, text) == found


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("giá {bao nhiêu", "stray"),
        ("{a|}", "empty alternative"),
        ("@nothing", "no word set"),
        ("#colour", "no kind"),
        ("giá ~99 sao", "a gap is"),
        ("giá ~2", "ends with a gap"),
        ("~2 giá", "begins or ends with a gap"),
        ("a ~1 b ~1 c ~1 d", "more than 2 gaps"),
        ("[a] [b]", "without a single word"),
        ("...", "no word in it"),
        (" ".join(["{a b|c d|e f|g h|i j}"] * 7), "spells out to more than"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_why(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        read_pattern(pattern, SETS)
