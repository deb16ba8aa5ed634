"""One typed word, folded: the same word however it was typed.

Vietnamese keyboards and people produce the same syllable in many byte sequences: composed or decomposed, the tone on the
old or the new vowel (hòa, hoà), letters held down (giááá), capitals, full-width letters, invisible characters, a Cyrillic
letter that looks Latin. All of them fold to one spelling.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_TONES = "\u0300\u0301\u0303\u0309\u0323"  # grave, acute, tilde, hook above, dot below
_SHAPES = "\u0302\u0306\u031b"  # circumflex, breve, horn
_VOWELS = frozenset("aăâeêioôơuưy")
_SHAPED_VOWELS = frozenset("ăâêôơư")
_HELD_DOWN = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLED = re.compile(r"([^\W\d_])\1+")
# Letters of other alphabets that are drawn like Latin ones; only read so inside a word that also has Latin letters.
_LOOK_ALIKE = str.maketrans(
    "аеіорсухАВЕІКМНОРСТУХ" + "αονΑΒΕΙΚΜΝΟΡΤΥΧ",
    "aeiopcyxABEIKMHOPCTYX" + "aovABEIKMNOPTYX",
)
_LATIN = re.compile(r"[A-Za-z]")
_NOT_LATIN = re.compile(r"[\u0370-\u03ff\u0400-\u04ff]")


class FoldedWord(NamedTuple):
    """`folded` keeps diacritics, `bare` has none (đ is d); `typed_diacritics` says whether the person typed any.

    `capitalised` is true for one capital and then small letters, as in a name.
    """

    folded: str
    bare: str
    typed_diacritics: bool
    capitalised: bool


@lru_cache(maxsize=32_768)
def fold_word(typed: str) -> FoldedWord:
    """Folds one word without spaces. Any string is accepted; a word with nothing visible folds to the empty string.

    Remembered for the most recent words, because a language repeats itself: nine of ten words are found there.
    """
    if typed.isascii():
        plain = _let_go(typed.lower())
        return FoldedWord(plain, plain, False, _is_capitalised(typed))
    visible = _INVISIBLE.sub("", typed)
    letters = unicodedata.normalize("NFKD", visible)
    if _NOT_LATIN.search(letters) and _LATIN.search(letters):
        letters = letters.translate(_LOOK_ALIKE)
    lowered = letters.lower()
    tones = {sign for sign in lowered if sign in _TONES}
    base = _let_go(unicodedata.normalize("NFC", _with_shapes_only(lowered)))
    bare = _without_marks(base)
    typed_diacritics = bool(tones) or bare != base
    if typed_diacritics and len(base) > 1:
        base = _DOUBLED.sub(r"\1", base)  # no Vietnamese syllable doubles a letter beside a diacritic
        bare = _without_marks(base)
    folded = base if len(tones) != 1 else _with_tone(base, tones.pop())
    return FoldedWord(folded, bare, typed_diacritics, _is_capitalised(visible))


def _let_go(word: str) -> str:
    """A letter held down becomes one; "kkk" stays, it is a laugh and no "k"."""
    return _HELD_DOWN.sub(r"\1", word) if len(set(word)) > 1 else word


def _is_capitalised(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and word[1:].islower()


def _with_shapes_only(letters: str) -> str:
    """Drops tones and foreign accents; a shape mark thus stands behind its letter even if the tone was typed between them."""
    return "".join(sign for sign in letters if sign in _SHAPES or not unicodedata.combining(sign))


def _without_marks(word: str) -> str:
    if word.isascii():
        return word
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign)).replace("đ", "d")


def _with_tone(base: str, tone: str) -> str:
    """Puts the tone where the new spelling rule wants it, so that every way of typing it ends up the same."""
    start = next((at for at, sign in enumerate(base) if sign in _VOWELS), None)
    if start is None:
        return base
    end = start
    while end < len(base) and base[end] in _VOWELS:
        end += 1
    if end - start > 1 and base[:end].startswith(("qu", "gi")) and start == 1:
        start += 1  # the u of qu and the i of gi belong to the consonant
    vowels = base[start:end]
    shaped = [at for at, sign in enumerate(vowels) if sign in _SHAPED_VOWELS]
    if shaped:
        chosen = start + shaped[-1]
    elif len(vowels) == 1:
        chosen = start
    elif end < len(base) or vowels in {"oa", "oe", "uy"} or len(vowels) == 3:
        chosen = start + 1
    else:
        chosen = start
    return unicodedata.normalize("NFC", base[: chosen + 1] + tone) + base[chosen + 1 :]
