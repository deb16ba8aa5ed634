"""One typed word, folded: the same word however it was typed.

Vietnamese keyboards and people produce the same syllable in many byte sequences: composed or decomposed, the tone on the
old or the new vowel (hòa, hoà), letters held down (giááá), capitals, full-width letters, invisible characters, a Cyrillic
letter that looks Latin. All of them fold to one spelling.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

# Characters without a shape of their own (hyphens, joiners, directions, fillers, variants, tags), and ornaments laid over a
# letter (rings, strokes, half marks). None of them changes what the word is. All of it is written for a regex class.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff"
    "\u0488\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
_SHAPES = "\u0302\u0306\u031b"  # circumflex, breve, horn
_TONES = "\u0300\u0301\u0303\u0309\u0323"  # grave, acute, tilde, hook above, dot below
# Signs that belong to a letter and stand behind it in decomposed text; the second line is those of other scripts.
MARKS = (
    "\u0300-\u036f"
    "\u05b4\u05b7-\u05b9\u05bc\u05bf\u05c1\u05c2\u0653-\u0655\u093c\u09bc\u0a3c\u0b3c\u0bd7\u0fb5\u0fb7\u102e\u1b35\u3099\u309a\U000110ba"
)
# Hardly a word is longer (two in a hundred comments hold one), and thirty thousand words of a whole page each would fill the memory.
LONGEST_REMEMBERED = 16
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_NO_SHAPE = re.compile(f"(?![{_SHAPES}])[{MARKS}]")
_VOWELS = re.compile("[aăâeêioôơuưy]+")
_SHAPED_VOWELS = frozenset("ăâêôơư")
_BARE = str.maketrans("ăâêôơưđ", "aaeooud")
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


def fold_word(typed: str) -> FoldedWord:
    """Folds one word without spaces. Any string is accepted; a word with nothing visible folds to the empty string."""
    return _remembered(typed) if len(typed) <= LONGEST_REMEMBERED else _fold(typed)


def _fold(typed: str) -> FoldedWord:
    if typed.isascii():
        plain = _let_go(typed.lower())
        return FoldedWord(plain, plain, False, _is_capitalised(typed))
    visible = _INVISIBLE.sub("", typed)
    letters = unicodedata.normalize("NFKD", visible)
    if _NOT_LATIN.search(letters) and _LATIN.search(letters):
        letters = letters.translate(_LOOK_ALIKE)
    lowered = letters.lower()
    tones = [tone for tone in _TONES if tone in lowered]
    # Without tones and foreign accents a shape stands behind its letter, even if the tone was typed between them.
    base = _let_go(unicodedata.normalize("NFC", _NO_SHAPE.sub("", lowered)))
    typed_diacritics = bool(tones) or base != _without_marks(base)
    if typed_diacritics:
        base = _once(base)
    folded = _with_tone(base, tones[0]) if len(tones) == 1 else base + "".join(tones)
    return FoldedWord(folded, _without_marks(base), typed_diacritics, _is_capitalised(unicodedata.normalize("NFC", visible)))


# A language repeats itself: nine of ten words are found here.
_remembered = lru_cache(maxsize=32_768)(_fold)


def _let_go(word: str) -> str:
    """A letter held down becomes one; "kkk" stays, it is a laugh and no "k"."""
    return _HELD_DOWN.sub(r"\1", word) if len(set(word)) > 1 else word


def _once(word: str) -> str:
    """No Vietnamese syllable doubles a letter beside a diacritic."""
    return _DOUBLED.sub(r"\1", word) if len(word) > 1 else word


def _is_capitalised(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and word[1:].islower()


def _without_marks(word: str) -> str:
    bare = word.translate(_BARE)
    if bare.isascii():
        return bare
    return "".join(sign for sign in unicodedata.normalize("NFD", bare) if not unicodedata.combining(sign))


def _with_tone(base: str, tone: str) -> str:
    """Puts the tone where the new spelling rule wants it, so that every way of typing it ends up the same."""
    run = _VOWELS.search(base)
    if run is None:
        return base + tone
    start, end = run.span()
    if end - start > 1 and start == 1 and base.startswith(("qu", "gi")):
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
