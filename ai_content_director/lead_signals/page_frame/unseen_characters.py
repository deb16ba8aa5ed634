"""Characters that hide, reorder or imitate text, made visible by their code: what a person reads is what was written.

A bidi override turns `gpj.exe` around, a zero-width space splits a word no search finds again, an escape character reaches
for the terminal. None of them is dropped; each becomes a small mark that says `U+202E`.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

MOST_MARKS: Final = 100
"""Per text. A comment of 60,000 such characters must not become 60,000 elements; the rest is one piece, with U+FFFD in their places."""
FEW_MARKS: Final = 8
"""Per name, quote, number and the like, of which a page holds many."""

_BEGINNING: Final = 32
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


def pieces(text: str, most_marks: int = MOST_MARKS) -> list[Piece]:
    """The text in its order, unseen characters taken out of it as pieces of their own. Line ends of all kinds become `\\n`.

    Never more than `2 * most_marks + 1` pieces, whatever the text.
    """
    if text.isprintable() and _BLANK_LETTERS.isdisjoint(text):  # most texts; asking each character took 6 ms of a page of fifty leads
        return [Piece(text, is_unseen=False)] if text else []
    return list(_pieces(text.replace("\r\n", "\n").replace("\r", "\n"), most_marks))


def few_pieces(text: str) -> list[Piece]:
    """The same for a short text."""
    return pieces(text, FEW_MARKS)


def plain(text: str) -> str:
    """The same in one string, for places without markup (a page's title, an option): `⟨U+202E⟩`."""
    return "".join(f"⟨{piece.text}⟩" if piece.is_unseen else piece.text for piece in pieces(text))


def is_blank(text: str | None) -> bool:
    """True when nothing of the text would be seen."""
    # The beginning tells of most texts; of the rest each different character once, for 60,000 rarely are more than a hundred.
    return text is None or (_shows_nothing(text[:_BEGINNING]) and _shows_nothing(set(text)))


def _shows_nothing(characters: Iterable[str]) -> bool:
    """In any order: a joiner that is drawn stands behind something that is seen."""
    return all(character.isspace() or _is_unseen(character, "") for character in characters)


def _pieces(text: str, most_marks: int) -> Iterator[Piece]:
    told = 0
    for start, end in islice(_unseen_runs(text), most_marks):
        if start > told:
            yield Piece(text[told:start], is_unseen=False)
        times = end - start
        yield Piece(f"U+{ord(text[start]):04X}" + (f" ×{times}" if times > 1 else ""), is_unseen=True)
        told = end
    if told < len(text):
        yield Piece(_with_replacements(text[told:]), is_unseen=False)


def _unseen_runs(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each run of one and the same unseen character."""
    end = 0
    for start, character in enumerate(text):
        if start >= end and _is_unseen(character, text[start - 1] if start else ""):
            end = start + 1
            while text.startswith(character, end):
                end += 1
            yield start, end


def _with_replacements(text: str) -> str:
    return "".join(
        _REPLACEMENT if _is_unseen(character, text[index - 1] if index else "") else character for index, character in enumerate(text)
    )


def _is_unseen(character: str, before: str) -> bool:
    if character.isprintable():
        return character in _BLANK_LETTERS
    if character in "\n\t" or character in _DRAWN_FORMAT:
        return False
    if character in _ZERO_WIDTH_JOINERS:  # holds a family emoji or a conjunct together; anywhere else it only hides
        return not (before and (unicodedata.category(before) in _JOINABLE_CATEGORIES) and before not in _BLANK_LETTERS)
    return unicodedata.category(character) in _UNSEEN_CATEGORIES
