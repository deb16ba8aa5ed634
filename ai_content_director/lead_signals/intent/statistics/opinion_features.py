"""What the statistics look at: words and pairs of neighbours, each with and without diacritics.

A word "gia", typed "=giá"; a pair "bao gia", typed "=báo giá"; the edges of a text are words too ("^ bao", "gia $"). Numbers, phones,
links and the like stand as "#number". These names stand in the model's file, and `training` counts them; judging walks the same words
without spelling the names out (`statistical_opinion`), and a test holds the two together.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lead_signals.intent.folding.text_folding import EMOJI, WORD, Token

BEGIN, END = "^", "$"
TYPED = "="


class Feature(NamedTuple):
    """One name, and the tokens it is about: the first, and the one after the last."""

    name: str
    first: int
    after: int


def opinion_features(tokens: Sequence[Token]) -> Iterator[Feature]:
    """Everything of the text that the model may know, in its order; a name may come twice."""
    bare_before, typed_before, was_typed = BEGIN, BEGIN, False
    for number, token in enumerate(tokens):
        bare, typed = seen_words(token)
        pair_from = max(number - 1, 0)
        yield Feature(bare, number, number + 1)
        yield Feature(f"{bare_before} {bare}", pair_from, number + 1)
        if token.typed_diacritics:
            yield Feature(TYPED + typed, number, number + 1)
        if token.typed_diacritics or was_typed:
            yield Feature(f"{TYPED}{typed_before} {typed}", pair_from, number + 1)
        bare_before, typed_before, was_typed = bare, typed, token.typed_diacritics
    if tokens:
        yield Feature(f"{bare_before} {END}", len(tokens) - 1, len(tokens))


def seen_words(token: Token) -> tuple[str, str]:
    """The token as the statistics see it, bare and as typed."""
    if token.kind == WORD:
        return token.bare, token.folded
    sign = "#" + (token.folded if token.kind == EMOJI else token.kind)
    return sign, sign
