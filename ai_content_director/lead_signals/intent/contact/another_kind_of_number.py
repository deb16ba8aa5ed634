"""What the text around a number says it is instead of a phone: an account, a tax code, an order, an amount, a masked number."""

import re
import unicodedata

_BEFORE_CHARACTERS = 48
_AFTER_CHARACTERS = 20

# Read without diacritics. Between the cue and the number: signs, and words that only carry the cue on.
_CUE = re.compile(
    r"\b(?:stk|so tk|(?:so )?tai khoan(?: so)?|account(?: no| number)?|mst|ma so(?: thue)?|ma (?:van )?don(?: hang)?"
    r"|don hang so|so don(?: hang)?|ma (?:kh|khach(?: hang)?|gd|giao dich|buu gui|sp|san pham|hang|giam gia|otp|nhan vien|nv)"
    r"|order(?: id| no| number)?|tracking"
    r"|otp|cmnd|cmt|cccd|can cuoc(?: cong dan)?|chung minh(?: nhan dan)?|so the|imei|seri(?:al)?|isbn|barcode|ma vach|voucher|coupon)"
    r"[ :=.\-()]{0,4}"
    r"(?:(?:la|cua|em|toi|minh|cty|cong ty|ngan hang|nh|no|id|bank|hang"
    r"|vcb|vietcombank|vietin|vietinbank|bidv|agribank|tcb|techcombank|mb|mbbank|acb|vpbank|tpbank|sacombank|vib|shb|hdbank|ocb|msb)"
    r"[ :=.\-()]{1,4}){0,3}\Z"
)
_AMOUNT_FOLLOWS = re.compile(r"\s?(?:[₫%$€]|(?:đ|d|k|tr|vnd|vnđ|đồng|dong|triệu|trieu|tỷ|tỉ|usd|nghìn|ngàn|củ)(?!\w))", re.IGNORECASE)
_OTHER_COUNTRY = re.compile(r"\+\s?(?!84)[0-9]{1,4}[ .\-()]{0,3}\Z")
_MASK_BEFORE = re.compile(r"(?:[xX]{2}|\*\*|(?<!\w)[xX]|[0-9][xX*])\Z")
_MASK_AFTER = re.compile(r"[xX]{2}|\*\*")
_GLUED_WORD = re.compile(r"[^\W\d]+\Z")
# Letters and digits by turns, as in serial numbers and checksums.
_ENDS_IN_CODE = re.compile(r"[0-9][A-Za-z]+\Z")
_GOES_ON_AS_CODE = re.compile(r"[A-Za-z]{1,6}[0-9]{1,6}[A-Za-z]{1,6}[0-9]")
_LETTER_IN_OR_BEHIND = re.compile(r"[0-9]*[A-Za-z]")
_GOES_ON_WITH_CAPITAL = re.compile(r"[A-Z]")
_VOWEL = re.compile(r"[AEIOUY]")
_CONTACT_WORDS = frozenset({"SDT", "DT", "DTDD", "LH", "ZL", "DD", "TP", "KD", "NV", "M", "T", "P", "H", "F"})
_CODE_WORDS = frozenset({"ID", "PO", "INV", "LEX", "AWB", "REF"})


def is_another_kind_of_number(text: str, digits: str, start: int, end: int) -> bool:
    """Whether the words and signs right beside `start` to `end` of `text` say that these `digits` are no phone."""
    before = text[max(0, start - _BEFORE_CHARACTERS) : start]
    after = text[end : end + _AFTER_CHARACTERS]
    return (
        before.endswith("#")
        or _MASK_BEFORE.search(before) is not None
        or _MASK_AFTER.match(after) is not None
        or _OTHER_COUNTRY.search(before) is not None
        or (digits.startswith("84") and not before.rstrip().endswith("+") and _AMOUNT_FOLLOWS.match(after) is not None)
        or _is_part_of_checksum(before, text[start:end], after)
        or _is_part_of_code(before, after)
        or _CUE.search(_without_marks(before)) is not None
    )


def _is_part_of_checksum(before: str, written: str, after: str) -> bool:
    """5d0912345678a1, 0912345678ba3ce388; not 2tui0912345678."""
    if _GOES_ON_AS_CODE.match(after) is not None:
        return True
    return _ENDS_IN_CODE.search(before) is not None and _LETTER_IN_OR_BEHIND.match(written + after) is not None


def _is_part_of_code(before: str, after: str) -> bool:
    """SPX0912345678, DH0912345678VN; not SDT0912345678, and not a word somebody forgot the blank behind."""
    glued = _GLUED_WORD.search(before)
    if glued is None:
        return False
    word = glued.group()
    if not (word.isascii() and word.isupper()) or word in _CONTACT_WORDS:
        return False
    return word in _CODE_WORDS or _VOWEL.search(word) is None or _GOES_ON_WITH_CAPITAL.match(after) is not None


def _without_marks(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.lower())
    return "".join(sign for sign in bare if not unicodedata.combining(sign)).replace("đ", "d")
