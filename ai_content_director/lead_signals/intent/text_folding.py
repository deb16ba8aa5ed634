"""A text as tokens: folded for matching, each remembering where it stands in the text as it came in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lead_signals.intent.contact_details import ContactPlace
from lead_signals.intent.syllable import INVISIBLE, FoldedWord, fold_word

WORD, NUMBER, MONEY, PHONE, EMAIL, LINK, EMOJI, QUESTION = (
    "word", "number", "money", "phone", "email", "link", "emoji", "question",
)  # fmt: skip

# One branch per kind of token, each a character class repeated: nothing can match in two ways, so the walk is linear.
_TOKEN = re.compile(
    rf"""
      (?P<word>[^\W\d_][^\W\d_\u0300-\u036f{INVISIBLE}]*(?:[\u0300-\u036f{INVISIBLE}]+[^\W\d_]*)*)
    | (?P<number>\d+(?:[.,]\d+)*)
    | (?P<question>[?？]+)
    | (?P<stop>[.!;…。！；\n\r]+)
    | (?P<comma>[,，、])
    | (?P<emoji>[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\u203c\u2049\u231a-\u23ff]
              | [:=;]['\-]?[()DPp3|/\\]+ | <3+ | \^_*\^ | T_T)
    | (?P<dollar>\$)
    """,
    re.VERBOSE,
)
_MORE_OF_IT = re.compile(r"([()D3])\1{2,}")  # :)))))) laughs no differently than :))
_LINK = re.compile(r"https?://[^\s<>\"]+|www\.[^\s<>\"]+", re.IGNORECASE)
_MONEY_GLUED = frozenset({"k", "tr", "đ", "d", "vnd", "vnđ", "ng", "củ", "usd", "xị", "tỏi", "tỷ", "tỉ"})
_MONEY_WORD = frozenset({"triệu", "trieu", "nghìn", "nghin", "ngàn", "ngan", "đồng", "vnd", "vnđ", "usd", "củ", "tỷ", "tỉ"})

Abbreviations = Mapping[str, tuple[FoldedWord, ...]]
NO_ABBREVIATIONS: Abbreviations = {}


class Token(NamedTuple):
    """One word, number or sign. A tuple rather than a dataclass: a busy Page makes some hundred thousand a second.

    `folded` keeps diacritics, `bare` has none. `typed_diacritics` is false for a word the person typed without any, which may
    then stand for several Vietnamese words, and for what an abbreviation was written out to. `start` and `end` are characters
    of the original text; the words of a written-out abbreviation all share the place of the abbreviation. `sentence` and
    `clause` count stops and commas passed.
    """

    folded: str
    bare: str
    typed_diacritics: bool
    start: int
    end: int
    kind: str
    sentence: int
    clause: int
    capitalised: bool


def fold_text(text: str, abbreviations: Abbreviations = NO_ABBREVIATIONS, places: Iterable[ContactPlace] = ()) -> list[Token]:
    """The tokens of `text` in order. `places` (sorted) are contact details already found: each becomes one token.

    Never raises; signs that carry no meaning here (brackets, quotes, control characters) make no token.
    """
    tokens: list[Token] = []
    for kind, start, end in _stretches(text, places):
        if kind == WORD:
            _fold_stretch(text, start, end, abbreviations, tokens)
        else:
            sentence, clause = _standing(tokens)
            tokens.append(_sign(text[start:end].lower(), start, end, kind, sentence=sentence, clause=clause))
    return tokens


def _stretches(text: str, places: Iterable[ContactPlace]) -> Sequence[tuple[str, int, int]]:
    taken: list[tuple[str, int, int]] = [(place.kind, place.start, place.end) for place in places]
    if "://" in text or "www." in text or "WWW." in text:
        links = [(LINK, match.start(), match.end()) for match in _LINK.finditer(text)]
        taken = [one for one in taken if not any(link[1] < one[2] and one[1] < link[2] for link in links)] + links
        taken.sort(key=lambda one: one[1])
    if not taken:
        return [(WORD, 0, len(text))]
    stretches: list[tuple[str, int, int]] = []
    at = 0
    for one in taken:
        stretches += [(WORD, at, one[1]), one]
        at = one[2]
    return [*stretches, (WORD, at, len(text))]


def _fold_stretch(text: str, start: int, end: int, abbreviations: Abbreviations, tokens: list[Token]) -> None:
    sentence, clause = _standing(tokens)
    for match in _TOKEN.finditer(text, start, end):
        kind = match.lastgroup
        begins, ends = match.span()
        if kind == "word":
            _add_word(fold_word(match.group()), (begins, ends, sentence, clause), abbreviations, tokens)
        elif kind == "comma":
            clause += 1
        elif kind == "stop":
            sentence, clause = sentence + 1, clause + 1
        elif kind == "dollar":
            if tokens and tokens[-1].kind == NUMBER:
                tokens[-1] = tokens[-1]._replace(end=ends, kind=MONEY)
        elif kind == "question":
            tokens.append(_sign("?", begins, ends, QUESTION, sentence=sentence, clause=clause))
            sentence, clause = sentence + 1, clause + 1
        elif kind == "number":
            tokens.append(_sign(match.group(), begins, ends, NUMBER, sentence=sentence, clause=clause))
        else:
            sign = _MORE_OF_IT.sub(r"\1\1", match.group())
            tokens.append(_sign(sign, begins, ends, EMOJI, sentence=sentence, clause=clause))


def _add_word(word: FoldedWord, stands: tuple[int, int, int, int], abbreviations: Abbreviations, tokens: list[Token]) -> None:
    begins, ends, sentence, clause = stands
    folded, bare, typed_diacritics, capitalised = word
    if tokens and tokens[-1].kind == NUMBER and (folded in _MONEY_WORD or (folded in _MONEY_GLUED and tokens[-1].end == begins)):
        tokens[-1] = tokens[-1]._replace(end=ends, kind=MONEY)
        return
    written_out = abbreviations.get(folded)
    if written_out is None:
        tokens.append(Token(folded, bare, typed_diacritics, begins, ends, WORD, sentence, clause, capitalised))
        return
    for full in written_out:
        tokens.append(Token(full.folded, full.bare, False, begins, ends, WORD, sentence, clause, False))


def _standing(tokens: list[Token]) -> tuple[int, int]:
    if not tokens:
        return 0, 0
    last = tokens[-1]
    return (last.sentence + 1, last.clause + 1) if last.kind == QUESTION else (last.sentence, last.clause)


def _sign(folded: str, start: int, end: int, kind: str, *, sentence: int, clause: int) -> Token:
    return Token(folded, folded, False, start, end, kind, sentence, clause, False)
