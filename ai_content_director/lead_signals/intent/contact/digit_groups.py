"""The digits of a text in groups, as they stand between blanks and signs, and what joins one group to the next."""

import re
from itertools import pairwise
from typing import NamedTuple

from lead_signals.intent.contact.simplified_text import NOTHING
from lead_signals.intent.contact.spelled_digits import FIRST_LETTERS_OF_NOUGHT, read_digits_in_words

_MARKS = f"{NOTHING}\u0300-\u036f"
_CHUNK = re.compile(rf"[\w{_MARKS}]+")
_DIGIT = re.compile("[0-9]")
_PIECE = re.compile(rf"(?P<digits>[0-9](?:[{_MARKS}]*[0-9])*)|(?P<letters>[^0-9]+)")
_LOOKS_LIKE = {"o": "0", "O": "0", "l": "1", "I": "1"}
_MOST_LOOK_ALIKES = 3
_WHOLE_NUMBER_DIGITS = 10  # a group with that many needs no letter read as a digit: 0912345678ok

_EMOJI = "\U0001f000-\U0001faff\u2190-\u23ff\u25a0-\u27bf\u2b00-\u2bff"
_SIGNS = re.compile(rf"[ .,\-()\[\]{{}}/\\|~*^=#'{NOTHING}{_EMOJI}]{{0,8}}")
_WORD = re.compile(r"[ .\-]{0,2}([^\W\d]{1,4})[ .\-]{0,2}")
_LONGEST_JOINT_CHARACTERS = 8


class DigitGroup(NamedTuple):
    """Digits standing together; `start` and `end` are characters of the text.

    `spelled` counts how many of them are said in words. `lone` is a single letter that only looks like a digit, with no
    digit beside it.
    """

    digits: str
    start: int
    end: int
    spelled: int = 0
    lone: bool = False

    @property
    def typed(self) -> bool:
        """Whether it was typed as digits, all of it."""
        return not self.spelled and not self.lone


class Joint(NamedTuple):
    """What stands between two groups: signs, blanks apart, or one short `word`, in small letters. `blank` tells of a blank."""

    signs: str
    blank: bool
    word: str = ""


def read_digit_groups(text: str) -> list[DigitGroup]:
    """The groups of a simplified text, in its order. Words count where a number may begin with them or go on."""
    groups: list[DigitGroup] = []
    reach = 0  # up to here a word may go on from the group before it
    for match in _CHUNK.finditer(text):
        chunk, start = match.group(), match.start()
        if not chunk.isalpha() and _DIGIT.search(chunk) is not None:
            _read_chunk(chunk, start, groups)
        elif chunk in _LOOKS_LIKE:
            groups.append(DigitGroup(_LOOKS_LIKE[chunk], start, start + 1, lone=True))
        elif start <= reach or chunk[0] in FIRST_LETTERS_OF_NOUGHT:
            _read_word(chunk, start, groups)
        else:
            continue
        reach = groups[-1].end + _LONGEST_JOINT_CHARACTERS if groups else 0
    return groups


def _read_chunk(chunk: str, start: int, groups: list[DigitGroup]) -> None:
    """Digits and letters written without a blank between them."""
    pieces = list(_PIECE.finditer(chunk))
    needs_letters = all(piece.lastgroup == "letters" or len(piece.group()) < _WHOLE_NUMBER_DIGITS for piece in pieces)
    open_group: DigitGroup | None = None
    for piece in pieces:
        digits = _digits(piece) if needs_letters or piece.lastgroup == "digits" else None
        if digits is not None:
            before = open_group or DigitGroup("", start + piece.start(), 0)
            open_group = DigitGroup(before.digits + digits, before.start, start + piece.end())
            continue
        if open_group is not None:
            groups.append(open_group)
            open_group = None
        _read_word(piece.group(), start + piece.start(), groups)
    if open_group is not None:
        groups.append(open_group)


def _digits(piece: re.Match[str]) -> str | None:
    """The digits of a piece; letters count when all of them look like digits, since what stands beside them are digits."""
    written = piece.group()
    if piece.lastgroup == "digits":
        return written if written.isdigit() else "".join(sign for sign in written if sign.isdigit())
    if len(written) > _MOST_LOOK_ALIKES or any(sign not in _LOOKS_LIKE for sign in written):
        return None
    return "".join(_LOOKS_LIKE[sign] for sign in written)


def _read_word(letters: str, start: int, groups: list[DigitGroup]) -> None:
    word = letters.strip(NOTHING)
    digits = read_digits_in_words(word.replace(NOTHING, ""))
    if digits is not None:
        begins = start + letters.index(word)
        groups.append(DigitGroup(digits, begins, begins + len(word), spelled=len(digits)))


def read_joints(text: str, groups: list[DigitGroup]) -> list[Joint | None]:
    """What joins each group to the next one; None where a number cannot go on."""
    return [_joint(text[one.end : other.start]) for one, other in pairwise(groups)]


def _joint(between: str) -> Joint | None:
    if len(between) > _LONGEST_JOINT_CHARACTERS:
        return None
    if _SIGNS.fullmatch(between) is not None and "**" not in between:
        return Joint(between.replace(" ", "").replace(NOTHING, ""), " " in between)
    word = _WORD.fullmatch(between)
    return Joint("", " " in between, word.group(1).lower()) if word is not None else None
