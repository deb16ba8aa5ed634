"""The Vietnamese numbering plan: when the digits somebody wrote are a whole number, and which one."""

import re

import phonenumbers

# +84, 0084 or 84 and perhaps the trunk 0 that belongs to the domestic form; or the domestic form itself. Then a mobile of
# nine digits, an old mobile of ten, or a landline with its area code, ten. Of 03 the plan uses 032 to 039, which were 0162 to
# 0169; 030 and 031 are how the tax codes of companies in Ho Chi Minh City begin.
_WHOLE_NUMBER = re.compile(r"(?:(?:00)?840?|0)(3[2-9][0-9]{7}|[5789][0-9]{8}|2[0-9]{9}|1[2689][0-9]{8})")
_BEGINNING = re.compile(r"(?:0|8|00|008|(?:(?:00)?840?|0)(?:[235789][0-9]*|1|1[2689][0-9]*|))")
MOST_DIGITS = 15
"""0084, the trunk 0, and ten."""

# Vietnam moved its 11-digit mobile numbers to 10 digits between 15 September and 14 November 2018 (Ministry of Information
# and Communications, plan of 22 May 2018). People still write the old ones.
_NEW_PREFIX = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58",
    "199": "59",
}  # fmt: skip


def is_whole_number(digits: str) -> bool:
    """Whether these digits are as many as a number that begins like this has."""
    return _WHOLE_NUMBER.fullmatch(digits) is not None


def may_become_a_number(digits: str) -> bool:
    """Whether more digits could make a whole number of these."""
    return len(digits) < MOST_DIGITS and _BEGINNING.fullmatch(digits) is not None


def as_e164(digits: str) -> str | None:
    """The number that `digits` are, as +84…, old ones renumbered; None when the plan has no such number."""
    match = _WHOLE_NUMBER.fullmatch(digits)
    if match is None:
        return None
    national = match.group(1)
    if national[0] == "1":
        if national[:3] not in _NEW_PREFIX:
            return None  # +84 1800 …, a hotline
        national = _NEW_PREFIX[national[:3]] + national[3:]
    number = phonenumbers.PhoneNumber(country_code=84, national_number=int(national))
    return f"+84{national}" if phonenumbers.is_valid_number_for_region(number, "VN") else None
