"""Phones and e-mails as people type them. All numbers are invented."""

import pytest

from lead_signals.intent.contact.contact_details import NO_CONTACT_DETAILS, find_contact_details


@pytest.mark.parametrize(
    "written",
    [
        "0912345678",
        "0912 345 678",
        "0912.345.678",
        "0912-345-678",
        "091 234 5678",
        "+84912345678",
        "+84 912 345 678",
        "0084912345678",
        "84912345678",
        "(+84) 912 345 678",
        "+84 0912 345 678",
        "0 9 1 2 3 4 5 6 7 8",
        "０９１２３４５６７８",
        "0912\u200b345678",
        "sđt:0912345678.",
    ],
)
def test_one_number_written_many_ways(written: str) -> None:
    assert find_contact_details(f"gọi {written} nhé").phones == ("+84912345678",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0123 456 7890", "+84834567890"),
        ("01641234567", "+84341234567"),
        ("0120.123.4567", "+84701234567"),
        ("+84 1991234567", "+84591234567"),
        ("01861234567", "+84561234567"),
    ],
)
def test_eleven_digit_numbers_of_before_2018_are_renumbered(old: str, new: str) -> None:
    assert find_contact_details(old).phones == (new,)


@pytest.mark.parametrize(
    "text",
    [
        "1900 1234",
        "1800 5678",
        "gọi 19001234 đi",
        "đơn 1234567890123456",
        "stk 0123456789012",
        "giá 912.345.678đ",
        "73920148",
        "0000000000",
        "2026-11-22 10:30",
        "12.345.678.901",
        "size 38 39 40 41 42",
        "+1 202 555 0100",
    ],
)
def test_other_numbers_are_no_phone(text: str) -> None:
    assert find_contact_details(text).phones == ()


def test_several_numbers_each_once_in_order() -> None:
    details = find_contact_details("0912 345 678 hoặc 0987 654 321, zalo 0912345678")
    assert details.phones == ("+84912345678", "+84987654321")
    assert len(details.places) == 3


def test_two_numbers_side_by_side() -> None:
    assert find_contact_details("0912345678 0987654321").phones == ("+84912345678", "+84987654321")


def test_landlines_of_offices_count() -> None:
    assert find_contact_details("(028) 3822 1234").phones == ("+842838221234",)


def test_emails_are_lowered_and_never_read_as_phones() -> None:
    details = find_contact_details("Gửi 0912345678@cong-ty.example và Mua.Hang+hn@Mau.vn.")
    assert details.emails == ("0912345678@cong-ty.example", "mua.hang+hn@mau.vn")
    assert details.phones == ()


@pytest.mark.parametrize("text", ["", "@", "a@b", "@@@@", "a@.vn", "không có gì", "@ad 12345"])
def test_nothing_there_is_nothing_found(text: str) -> None:
    assert find_contact_details(text) is NO_CONTACT_DETAILS


def test_places_name_the_words_in_the_text() -> None:
    text = "alo 0912 345 678 hoặc a.b@mau.vn"
    assert [text[place.start : place.end] for place in find_contact_details(text).places] == ["0912 345 678", "a.b@mau.vn"]
