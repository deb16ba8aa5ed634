"""A text with the many forms of digits and separators brought down to few, sign by sign, so that places stay what they are."""

import unicodedata
from collections.abc import Iterable

NOTHING = "\u200b"
"""What a sign that cannot be seen becomes: joiners, selectors, the box of a keycap."""

# Full-width, mathematical, circled, raised and lowered digits. Other scripts' digits are not how Vietnamese is disguised.
_STYLED = (
    (0x00B2, 0x00B3),
    (0x00B9, 0x00B9),
    (0x2070, 0x2089),
    (0x2460, 0x2468),
    (0x24EA, 0x24EA),
    (0x24F5, 0x24FF),
    (0x2776, 0x277E),
    (0xFF10, 0xFF19),
    (0x1D7CE, 0x1D7FF),
)
TYPED_DIGITS = "0-9" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _STYLED)
"""Inside of a character class: every digit that is one sign, plain or styled."""


def _digits() -> Iterable[tuple[int, str]]:
    for first, last in _STYLED:
        for code in range(first, last + 1):
            value = unicodedata.digit(chr(code), None)
            if value is not None:
                yield code, str(value)


_BLANKS = "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u3164"
_DASHES = "_\uff3f\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\ufe58\ufe63\uff0d"
_DOTS = ".\uff0e\u00b7\u2022\u2024\u2026\u2027\u2219\u22c5\u30fb\u3002"
_UNSEEN = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u20e3\ufe0e\ufe0f\ufeff"
)
_SIMPLER: dict[int, str] = {
    **dict(_digits()),
    **{ord(sign): " " for sign in _BLANKS},
    **{ord(sign): "-" for sign in _DASHES},
    **{ord(sign): "." for sign in _DOTS},
    **{ord(sign): NOTHING for sign in _UNSEEN},
    **{ord(sign): "'" for sign in "\u2018\u2019\u0060\u00b4\u2032"},
    **{ord(sign): "/" for sign in "\uff0f\u2044\u2215"},
    **{ord(sign): "+" for sign in "\uff0b\u2795"},
    **{ord(sign): "o" for sign in "\u041e\u043e\u039f\u03bf"},  # Cyrillic and Greek, drawn like the Latin letter
    **{wide: chr(wide - 0xFEE0) for wide in map(ord, "\uff08\uff09\uff0c\uff5c\uff0a\uff03\uff1a")},
}


def simplify(text: str) -> str:
    """`text`, as long as before: plain digits, one kind of blank, dash, dot and bracket, and `NOTHING` for what is not seen."""
    return text.translate(_SIMPLER)
