"""A text without what somebody could be called, written to or found by: phones, e-mails, and every other long number.

The mask is greedier than the search for contacts: that one must not take an account for a phone, this one lets neither out.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from lead_signals.intent.contact.contact_details import find_contact_details
from lead_signals.intent.contact.simplified_text import TYPED_DIGITS

_MASK: Final = {"phone": "<phone>", "email": "<email>"}
_NUMBER: Final = "<number>"

_DIGIT: Final = rf"[\d{TYPED_DIGITS}]"
# Accounts, cards, identity cards, foreign phones: eight digits or more, in groups or not, over line breaks too. A price has seven at
# most, or says "triệu". No sign is both digit and gap, so each digit is tried once and given up after eight.
_LONG_NUMBER: Final = re.compile(rf"{_DIGIT}(?:(?:(?!{_DIGIT})[\W_]){{0,3}}{_DIGIT}){{7,}}")

# Taken apart first and searched one by one: a search for both at once begins anew at every sign of a text without an at sign.
_CHUNK: Final = re.compile(r"\S+")
_AT_SIGN_WITHIN: Final = re.compile(r"(?<=\S)(?:[@＠﹫]|%40)(?=\S)")


class _Place(NamedTuple):
    start: int
    end: int
    mask: str


def masked_text(text: str, most_characters: int) -> str:
    """The first `most_characters` of `text`, masked; what the cut would divide is masked whole.

    Give some more of the text than that, or the half of a number at its end passes for a short one. Masking twice changes nothing.
    """
    contacts = [_Place(place.start, place.end, _MASK[place.kind]) for place in find_contact_details(text).places]
    places = list(_joined(sorted([*contacts, *_addresses(text)])))
    without = _put(text, [_Place(start, end, "x" * (end - start)) for start, end, _ in places], len(text))
    numbers = [_Place(match.start(), match.end(), _NUMBER) for match in _LONG_NUMBER.finditer(without)]
    return _put(text, sorted([*places, *numbers]), most_characters)


def _addresses(text: str) -> Iterator[_Place]:
    """Whatever is written around an at sign, in whatever letters: a mail program's idea of an address is too narrow."""
    for chunk in _CHUNK.finditer(text):
        if _AT_SIGN_WITHIN.search(chunk.group()) is not None:
            yield _Place(chunk.start(), chunk.end(), _MASK["email"])


def _joined(places: Iterable[_Place]) -> Iterator[_Place]:
    """Places that share characters as one, by the name of the longest; sorted in, sorted out."""
    last: _Place | None = None
    for place in places:
        if last is None or place.start >= last.end:
            if last is not None:
                yield last
            last = place
        else:
            longest = max(last, place, key=lambda each: each.end - each.start)
            last = _Place(last.start, max(last.end, place.end), longest.mask)
    if last is not None:
        yield last


def _put(text: str, places: Iterable[_Place], most_characters: int) -> str:
    """The text with the masks in their places, up to the cut; a place that begins before it is masked whole."""
    parts: list[str] = []
    at = 0
    for start, end, mask in places:
        if start >= most_characters:
            break
        parts += [text[at:start], mask]
        at = end
    return "".join([*parts, text[at:most_characters]])
