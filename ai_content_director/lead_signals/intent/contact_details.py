"""Phone numbers and e-mail addresses that a person left in a text."""

import re
from dataclasses import dataclass
from typing import Literal

import phonenumbers

# What people put between digits: dots, spaces, dashes, a bracket, and the invisible characters that copying brings along.
_GAP = r"[ .\-()\u00a0\u2009\u200b-\u200d\u2060\ufeff]{0,3}"
_COUNTRY_OR_TRUNK = rf"(?:(?:\+|00)?{_GAP}8{_GAP}4{_GAP}0?|0)"
_MOBILE = rf"[35789](?:{_GAP}[0-9]){{8}}"
_OLD_MOBILE = rf"1{_GAP}[2689](?:{_GAP}[0-9]){{8}}"
_LANDLINE = rf"2(?:{_GAP}[0-9]){{9}}"
# Every repetition is bounded, so the search is linear. A digit (or a group separator with digits) on either side means a
# longer number: an account, an order, an amount.
_PHONE = re.compile(rf"(?<![0-9+])(?<![0-9][.,]){_COUNTRY_OR_TRUNK}{_GAP}(?:{_OLD_MOBILE}|{_MOBILE}|{_LANDLINE})(?![0-9])")
_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9_.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w@])")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９＋＠", "0123456789+@")  # one for one, so places stay what they are
_ENOUGH_DIGITS = re.compile(r"[0-9][^0-9]{0,5}[0-9][^0-9]{0,5}[0-9][^0-9]{0,5}[0-9]")

# Vietnam moved its 11-digit mobile numbers to 10 digits between 15 September and 14 November 2018 (Ministry of Information
# and Communications, plan of 22 May 2018). People still write the old ones.
_NEW_PREFIX = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58",
    "199": "59",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContactPlace:
    """Where in the text a phone or an e-mail stands; `start` and `end` are characters of the original text."""

    kind: Literal["phone", "email"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """`phones` in E.164 and `emails` in lower case, each once, in the order of the text; `places` names every mention."""

    phones: tuple[str, ...]
    emails: tuple[str, ...]
    places: tuple[ContactPlace, ...] = ()


NO_CONTACT_DETAILS = ContactDetails((), ())


def find_contact_details(text: str) -> ContactDetails:
    """Vietnamese phone numbers (mobile old and new, landline) and e-mail addresses in `text`.

    A number counts when the numbering plan knows it; hotlines (1800, 1900) are a company's, not a person's, and never
    count. Never raises. Costs two quick looks for a text with neither an @ nor four digits near each other.
    """
    if not text.isascii():
        text = text.translate(_FULL_WIDTH)
    emails: dict[str, None] = {}
    phones: dict[str, None] = {}
    places: list[ContactPlace] = []
    if "@" in text:
        for match in _EMAIL.finditer(text):
            emails[match.group().lower()] = None
            places.append(ContactPlace("email", match.start(), match.end()))
    if _ENOUGH_DIGITS.search(text):
        for match in _PHONE.finditer(text):
            if any(place.start < match.end() and match.start() < place.end for place in places):
                continue  # digits inside an address: 0912345678@example.vn is one e-mail
            number = _as_e164(match.group())
            if number is not None:
                phones[number] = None
                places.append(ContactPlace("phone", match.start(), match.end()))
    if not places:
        return NO_CONTACT_DETAILS
    places.sort(key=lambda place: place.start)
    return ContactDetails(tuple(phones), tuple(emails), tuple(places))


def _as_e164(written: str) -> str | None:
    digits = "".join(sign for sign in written if sign.isdigit())
    national = digits.removeprefix("00") if digits.startswith("0084") else digits
    national = national.removeprefix("84") if national.startswith("84") and len(national) >= 11 else national
    national = national.removeprefix("0")
    if len(national) == 10 and national[:3] in _NEW_PREFIX:
        national = _NEW_PREFIX[national[:3]] + national[3:]
    try:
        number = phonenumbers.parse(f"+84{national}", None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number_for_region(number, "VN"):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
