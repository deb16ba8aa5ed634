"""A text as tokens: folded for matching, each remembering where it stands in the text as it came in."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from lead_signals.intent.contact.contact_details import ContactPlace
from lead_signals.intent.folding.syllable import INVISIBLE, LONGEST_REMEMBERED, MARKS, FoldedWord, fold_word

WORD, NUMBER, MONEY, PHONE, EMAIL, LINK, EMOJI, QUESTION = (
    "word", "number", "money", "phone", "email", "link", "emoji", "question",
)  # fmt: skip

_STOP, _COMMA, _DOLLAR = "stop", "comma", "dollar"
_LETTER = rf"[^\W\d_{INVISIBLE}]"

# One branch per kind of token, each a character class repeated: nothing can match in two ways, so the walk is linear.
_TOKEN = re.compile(
    rf"""
      (?P<word>{_LETTER}+(?:[{MARKS}{INVISIBLE}]+{_LETTER}*)*)
    | (?P<number>\d+(?:[.,]\d+)*)
    | (?P<question>[?？]+)
    | (?P<stop>[.!;…。！；\n\r]+)
    | (?P<comma>[,，、])
    | (?P<emoji>[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\u203c\u2049\u231a-\u23ff]
              | [:=;]['\-]?[()DPp3|/\\]+(?![{MARKS}]) | <3+ | \^_*\^)
    | (?P<dollar>\$)
    """,
    re.VERBOSE,
)
_MORE_OF_IT = re.compile(r"([()D3])\1{2,}")  # :)))))) laughs no differently than :))
_LINK = re.compile(r"https?://[^\s<>\"]+|www\.[^\s<>\"]+", re.IGNORECASE)
_MONEY_GLUED = frozenset({"k", "tr", "đ", "d", "vnd", "vnđ", "ng", "củ", "usd", "xị", "tỏi", "tỷ", "tỉ"})
_MONEY_WORD = frozenset({"triệu", "trieu", "nghìn", "nghin", "ngàn", "ngan", "đồng", "vnd", "vnđ", "usd", "củ", "tỷ", "tỉ"})

_Piece = tuple[str, int, int, str, str, bool, bool]
"""Kind, beginning and end in the chunk, then as in `FoldedWord`."""
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
            sign = unicodedata.normalize("NFC", text[start:end].lower())
            tokens.append(_sign(sign, start, end, kind, sentence=sentence, clause=clause))
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
    at, after_number, new_token, add = start, False, tuple.__new__, tokens.append
    for chunk in text[start:end].split(" "):
        pieces = _remembered_pieces(chunk) if len(chunk) <= LONGEST_REMEMBERED else _pieces(chunk)
        for kind, begins, ends, folded, bare, typed_diacritics, capitalised in pieces:
            if kind == WORD:
                if after_number and _is_money(folded, glued=tokens[-1].end == at + begins):
                    tokens[-1] = tokens[-1]._replace(end=at + ends, kind=MONEY)
                elif folded in abbreviations:
                    tokens += _written_out(abbreviations[folded], at + begins, at + ends, sentence, clause)
                else:
                    add(new_token(Token, (folded, bare, typed_diacritics, at + begins, at + ends, WORD, sentence, clause, capitalised)))
                after_number = False
            elif kind == _COMMA:
                clause += 1
            elif kind == _STOP:
                sentence, clause = sentence + 1, clause + 1
            elif kind != _DOLLAR:
                add(_sign(folded, at + begins, at + ends, kind, sentence=sentence, clause=clause))
                after_number = kind == NUMBER
                if kind == QUESTION:
                    sentence, clause = sentence + 1, clause + 1
            elif after_number:
                tokens[-1] = tokens[-1]._replace(end=at + ends, kind=MONEY)
                after_number = False
        at += len(chunk) + 1


def _pieces(chunk: str) -> tuple[_Piece, ...]:
    return tuple(_piece(match) for match in _TOKEN.finditer(chunk))


# Of the stretches between two spaces nine in ten were seen lately. Real ones take nine megabytes, hostile ones thirty-two.
_remembered_pieces = lru_cache(maxsize=16_384)(_pieces)


def _piece(match: re.Match[str]) -> _Piece:
    begins, ends = match.span()
    kind = match.lastgroup or ""
    if kind == WORD:
        return WORD, begins, ends, *fold_word(match.group())
    sign = "?" if kind == QUESTION else match.group() if kind == NUMBER else _MORE_OF_IT.sub(r"\1\1", match.group())
    return kind, begins, ends, sign, sign, False, False


def _is_money(folded: str, *, glued: bool) -> bool:
    """Whether this word, behind a number, makes an amount of it."""
    return folded in _MONEY_WORD or (glued and folded in _MONEY_GLUED)


def _written_out(words: Iterable[FoldedWord], start: int, end: int, sentence: int, clause: int) -> list[Token]:
    return [Token(word.folded, word.bare, False, start, end, WORD, sentence, clause, False) for word in words]


def _standing(tokens: list[Token]) -> tuple[int, int]:
    if not tokens:
        return 0, 0
    last = tokens[-1]
    return (last.sentence + 1, last.clause + 1) if last.kind == QUESTION else (last.sentence, last.clause)


def _sign(folded: str, start: int, end: int, kind: str, *, sentence: int, clause: int) -> Token:
    return Token(folded, folded, False, start, end, kind, sentence, clause, False)
