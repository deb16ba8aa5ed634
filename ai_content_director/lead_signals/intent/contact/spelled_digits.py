"""Digits said in words: "không chín một hai", "khong chin mot hai", "khôngchínmộthai"."""

import re
import unicodedata

_WORDS_OF = {
    "0": ("không", "khong", "hông", "hong", "ko", "zero"),
    "1": ("một", "mốt", "mot"),
    "2": ("hai",),
    "3": ("ba",),
    "4": ("bốn", "bon", "tư", "tu"),
    "5": ("năm", "lăm", "nhăm", "nam", "lam"),
    "6": ("sáu", "sau"),
    "7": ("bảy", "bẩy", "bay"),
    "8": ("tám", "tam"),
    "9": ("chín", "chin"),
}
_DIGIT_OF = {word: digit for digit, words in _WORDS_OF.items() for word in words}
# No word begins with what may follow a shorter one ("ba", "bay"), so a row of them can be read in one way only.
_ONE_WORD = re.compile("|".join(sorted(_DIGIT_OF, key=len, reverse=True)))
_ROW_OF_WORDS = re.compile(f"(?:{_ONE_WORD.pattern})+")
FIRST_LETTERS_OF_NOUGHT = frozenset(letter for word in _WORDS_OF["0"] for letter in (word[0], word[0].upper()))
"""A number said in words begins with one of them."""
_SHORTEST_ROW_CHARACTERS = 2 * min(map(len, _DIGIT_OF))
_LONGEST_ROW_CHARACTERS = 80  # of a row that may be a phone: eleven words of up to five letters, some typed in two signs

# A number spelled from its beginning: nought, as word, letter or digit (or the 4 of +84), digits perhaps, then two spelled
# ones. A first look only, for texts that mostly hold nothing; the marks may be typed apart from their letters.
_MARKS = r"[\u0300-\u036f]{0,2}"
_SPELLED = (
    rf"(?i:kh[oô]{_MARKS}ng|ch[ií]{_MARKS}n|t[aá]{_MARKS}m|ba|b[aâảẩ]{_MARKS}y|(?:l|n|nh)[aă]{_MARKS}m"
    rf"|m[oôộố]{_MARKS}t|hai|b[oôố]{_MARKS}n|s[aá]{_MARKS}u|t[uư])"
)
_BETWEEN = r"[^\w\n]{0,4}"
BEGINS_A_SPELLED_NUMBER = (
    rf"[oOôÔ04](?:\u0302?[nN][gG])?{_BETWEEN}(?:[0-9]{_BETWEEN}){{0,8}}"
    rf"{_SPELLED}{_BETWEEN}(?:{_SPELLED}|(?i:k?o)|[0-9])"
)


def read_digits_in_words(letters: str) -> str | None:
    """The digits that `letters` (no blanks in it) say, one word or several run together; None when it says anything else."""
    if len(letters) > _LONGEST_ROW_CHARACTERS:
        return None
    word = letters.lower()
    if not word.isascii():
        word = unicodedata.normalize("NFC", word)
    digit = _DIGIT_OF.get(word)
    if digit is not None or len(word) < _SHORTEST_ROW_CHARACTERS or _ROW_OF_WORDS.fullmatch(word) is None:
        return digit
    return "".join(_DIGIT_OF[match.group()] for match in _ONE_WORD.finditer(word))
