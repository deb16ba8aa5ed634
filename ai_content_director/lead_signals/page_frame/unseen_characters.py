"""Characters that hide, reorder or imitate text, made visible by their code: what a person reads is what was written.

A bidi override turns `gpj.exe` around, a zero-width space splits a word no search finds again, an escape character reaches
for the terminal. None of them is dropped; each becomes a small mark that says `U+202E`.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

MOST_MARKS: Final = 100
"""Per text. A comment of 60,000 such characters must not become 60,000 elements; the rest is shown as U+FFFD."""

_REPLACEMENT: Final = "\ufffd"
_ZERO_WIDTH_JOINERS: Final = frozenset("\u200c\u200d")
# Signs of Arabic, Syriac and Kaithi numbers: format characters by category, and yet drawn.
_DRAWN_FORMAT: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Letters and symbols that are drawn as nothing at all: the usual way to write an empty name.
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Controls, format, lone surrogates, line and paragraph separators.
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINABLE_CATEGORIES: Final = frozenset({"So", "Sk", "Lo", "Mn", "Mc"})


@dataclass(frozen=True, slots=True)
class Piece:
    """Some visible text, or (`is_unseen`) the code of an unseen character, `×n` when it stands there n times."""

    text: str
    is_unseen: bool


def pieces(text: str) -> list[Piece]:
    """The text in its order, unseen characters taken out of it as pieces of their own. Line ends of all kinds become `\\n`."""
    if text.isprintable() and _BLANK_LETTERS.isdisjoint(text):  # most texts; asking each character took 6 ms of a page of fifty leads
        return [Piece(text, is_unseen=False)] if text else []
    return list(_pieces(text.replace("\r\n", "\n").replace("\r", "\n")))


def plain(text: str) -> str:
    """The same in one string, for places without markup (a page's title, an option): `⟨U+202E⟩`."""
    return "".join(f"⟨{piece.text}⟩" if piece.is_unseen else piece.text for piece in pieces(text))


def is_blank(text: str | None) -> bool:
    """True when nothing of the text would be seen."""
    return text is None or all(piece.is_unseen or not piece.text.strip() for piece in pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    marks = 0
    marked_or_seen = ((character, _is_unseen(character, text[index - 1] if index else "")) for index, character in enumerate(text))
    for is_unseen, run in groupby(marked_or_seen, key=lambda pair: pair[1]):
        characters = "".join(character for character, _ in run)
        if not is_unseen:
            yield Piece(characters, is_unseen=False)
            continue
        for character, same in groupby(characters):
            times = sum(1 for _ in same)
            marks += 1
            if marks > MOST_MARKS:
                yield Piece(_REPLACEMENT, is_unseen=False)
            else:
                yield Piece(f"U+{ord(character):04X}" + (f" ×{times}" if times > 1 else ""), is_unseen=True)


def _is_unseen(character: str, before: str) -> bool:
    if character in "\n\t" or character in _DRAWN_FORMAT:
        return False
    if character in _ZERO_WIDTH_JOINERS:  # holds a family emoji or a conjunct together; anywhere else it only hides
        return not (before and (unicodedata.category(before) in _JOINABLE_CATEGORIES) and before not in _BLANK_LETTERS)
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _BLANK_LETTERS
