"""Any mobile in any disguise is found once and in its place; any text at all is survived, in time that grows with its length."""

import re
import sys
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lead_signals.intent.contact.contact_details import NO_CONTACT_DETAILS, find_contact_details

PREFIXES = [str(two) for two in (*range(32, 40), 56, 58, 70, *range(76, 80), *range(81, 87), 88, 90, 91, 92, 93, 94, 96, 97, 98)]
WORDS = {
    "0": ["không", "khong"],
    "1": ["một", "mot", "mốt"],
    "2": ["hai"],
    "3": ["ba"],
    "4": ["bốn", "bon", "tư"],
    "5": ["năm", "nam", "lăm"],
    "6": ["sáu", "sau"],
    "7": ["bảy", "bay", "bẩy"],
    "8": ["tám", "tam"],
    "9": ["chín", "chin"],
}
ALPHABETS = ["0123456789", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟢𝟣𝟤𝟥𝟦𝟧𝟨𝟩𝟪𝟫", "⓪①②③④⑤⑥⑦⑧⑨"]
GROUPINGS = [(10,), (4, 3, 3), (3, 3, 4), (3, 4, 3), (4, 6), (3, 7), (4, 2, 2, 2), (5, 5), (2, 4, 4), (1,) * 10]
SIGNS = [" ", ".", "-", " - ", ". ", "/", "_", "*", "\u00a0", "\u200b", "–", "😀", " ☎️ ", "👉🏻", "❤️"]
COUNTRIES = ["0", "+84", "+84 ", "84", "0084", "+84 0", "+84.", "+84-"]

mobiles = st.builds(lambda prefix, rest: prefix + rest, st.sampled_from(PREFIXES), st.text("0123456789", min_size=7, max_size=7))
before = st.sampled_from(
    ["", "gọi em ", "sđt ", "sđt:", "zalo ", "Zalo: ", "mua 2 túi, ", "(", "Lan – ", "alo số này hem :-) ", "20 cái\n"]
)
behind = st.sampled_from(["", " nhé", " ạ", ".", "!", ", Hà Nội", " - Lan", ") ib em", "\n12 Lê Lợi", " giá bn"])


@st.composite
def typed(draw: st.DrawFn, national: str) -> str:
    """In groups, with one sign between them, in digits of one style."""
    country = draw(st.sampled_from(COUNTRIES))
    groups = _cut("0" + national, draw(st.sampled_from(GROUPINGS)))
    groups[0] = groups[0].removeprefix("0")  # stands in for the trunk 0 in the grouping
    sign = draw(st.sampled_from(SIGNS))
    written = (country if groups[0] or not country.endswith((" ", ".", "-")) else country[:-1]) + sign.join(groups)
    alphabet = draw(st.sampled_from(ALPHABETS))
    return written.translate(str.maketrans("0123456789", alphabet))


@st.composite
def keycapped(draw: st.DrawFn, national: str) -> str:
    box = draw(st.sampled_from(["\ufe0f\u20e3", "\u20e3"]))
    return draw(st.sampled_from(["", " "])).join(digit + box for digit in "0" + national)


@st.composite
def with_letters_for_digits(draw: st.DrawFn, national: str) -> str:
    """Some letters, each in a group that has a digit left, never more than three in a row, at least six digits left in all."""
    groups = _cut("0" + national, draw(st.sampled_from([(10,), (4, 3, 3), (5, 5), (4, 6)])))
    look_alikes = {"0": draw(st.sampled_from("oO")), "1": draw(st.sampled_from("lI"))}
    read = ["".join(look_alikes.get(digit, digit) for digit in group) for group in groups]
    written = draw(st.sampled_from([" ", ".", "-"])).join(read)
    assume(re.search("[oOlI]{4}", written) is None and all(re.search("[0-9]", group) for group in read))
    assume(len(re.findall("[0-9]", written)) >= 6)
    return written


@st.composite
def spelled(draw: st.DrawFn, national: str) -> str:
    """The first three digits in words, the others in words or as digits."""
    in_words = [True] * 3 + draw(st.lists(st.booleans(), min_size=7, max_size=7))
    said = [draw(st.sampled_from(WORDS[digit])) if word else digit for digit, word in zip("0" + national, in_words, strict=True)]
    return draw(st.sampled_from([str.lower, str.upper, str.title]))(draw(st.sampled_from([" ", "-", ", ", " . ", " 😀 "])).join(said))


@st.composite
def with_words_between(draw: st.DrawFn, national: str) -> str:
    groups = _cut("0" + national, draw(st.sampled_from([(4, 3, 3), (3, 3, 4), (4, 2, 2, 2)])))
    return draw(st.sampled_from([" chấm ", " cham ", "chấm", "a", " nha ", "yêu"])).join(groups)


@given(st.data(), mobiles, before, behind)
@settings(max_examples=600, deadline=None)
def test_a_mobile_in_any_disguise_is_found_once_and_in_its_place(data: st.DataObject, national: str, begins: str, ends: str) -> None:
    disguise = data.draw(st.sampled_from([typed, keycapped, with_letters_for_digits, spelled, with_words_between]))
    written = data.draw(disguise(national))
    details = find_contact_details(begins + written + ends)
    assert details.phones == (f"+84{national}",)
    assert [(begins + written + ends)[place.start : place.end] for place in details.places] == [written]


PIECES = [
    *("0912345678", "0912 345 678", "+84", "0084", "84", "0", "09", "1", "12", "2026", "12/2026", "x", "xx", "*", "SPX", "đ"),
    *("không", "khong", "chín", "một", "hai", "ba", "tám", " chấm ", "nha", "o", "O", "l", "I", "0️⃣", "９", "𝟗", "⓪", "²", "😀"),
    *(".", ",", "-", "/", "(", ")", "+", "#", "@", "\n", " ", "\u200b", "\u0301", "\u0300", "\ufe0f", "\u20e3", "\ud800", "\x00", "İ"),
    *(" a còng ", "(at)", "gmail.com", "gmail chấm com", "a@b.vn", "stk ", "mst ", "https://", "zalo.me/", "fb.com/"),
]
texts = st.one_of(st.text(max_size=120), st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=2)), max_size=40).map("".join))


@given(texts)
@settings(max_examples=600, deadline=None)
def test_any_text_is_survived_and_its_places_stand_in_order_and_apart(text: str) -> None:
    details = find_contact_details(text)
    assert all(0 <= place.start < place.end <= len(text) for place in details.places)
    assert all(one.end <= other.start for one, other in pairwise(details.places))
    assert all(phone.startswith("+84") and phone[3:].isascii() and phone[3:].isdigit() for phone in details.phones)
    assert len(set(details.phones)) == len(details.phones)
    assert len(set(details.emails)) == len(details.emails)
    assert bool(details.places) == bool(details.phones or details.emails)


@pytest.mark.parametrize(
    "unit",
    [
        *("0", "0 ", "0.", "09", "0912345678 ", "0912345678", "0912345678-", "0 9 1 2 3 4 5 6 7 8 ", "84", "+84 ", ".", "²", "x0"),
        *("không ", "không chín ", "khôngchín", "không chín một hai ba bốn năm sáu bảy tám ", "o", "0o", "0l2 ", "0a", "09a12a"),
        *("0️⃣", "0😀", "\u200b", "0\u200b", "0\u0301", "stk 0912345678 ", "12/12/2026 ", "fb.com/0912345678 ", "https://a/0912345678/"),
        *("a@", "a@a.vn ", "a@0912345678.vn 0987654321 ", "a a còng ", "(at)", "a (at) b.", "a chấm ", "a (at) b.vn "),
    ],
)
def test_work_grows_no_faster_than_the_text(unit: str) -> None:
    short, long = (unit * (length // len(unit)) for length in (2_500, 10_000))
    find_contact_details(short)
    assert _calls(long) <= 5 * _calls(short) + 500


@pytest.mark.parametrize(
    "sentence", ["Hàng dùng rất thích, sẽ ủng hộ shop dài dài. ", "Có giao ở Cần Thơ không shop ơi? Lấy 2 túi 500k nhé "]
)
def test_a_text_without_contact_gets_a_few_looks_and_no_more(sentence: str) -> None:
    text = 20 * sentence
    assert find_contact_details(text) is NO_CONTACT_DETAILS
    assert _calls(text) <= 8


def _cut(digits: str, sizes: tuple[int, ...]) -> list[str]:
    ends = [sum(sizes[: at + 1]) for at in range(len(sizes))]
    return [digits[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _calls(text: str) -> int:
    """Python and C calls made to read the text: a measure of work that no other process can disturb."""
    count = 0

    def tally(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    earlier = sys.getprofile()
    sys.setprofile(tally)
    try:
        find_contact_details(text)
    finally:
        sys.setprofile(earlier)
    return count
