"""Numbers that look like a phone, or could be cut into one, and are none. All of them are invented."""

import pytest

from lead_signals.intent.contact.contact_details import find_contact_details

NO_PHONES = {
    "hotlines": ["1900 1234", "1800 5678", "gọi 19001234 đi", "+84 1900 123 456", "+84 1800 123 456"],
    "amounts": ["1.200.000đ", "1,200,000", "912.345.678đ", "84.912.345.678đ", "84 912 345 678 vnd", "0.912345678", "0,912345678"],
    "accounts": [
        "stk 0912345678",
        "stk: 0912 345 678 vcb",
        "Số tài khoản Vietcombank 0912345678",
        "STK ngân hàng MB: 0912.345.678",
        "số tk 0912345678",
        "so tai khoan cua em 0912345678",
        "stk 0123456789012",
        "1903 0912 3456 78",
        "4532 0151 1283 0366",
        "số thẻ 0912 345 678",
    ],
    "papers": ["MST 0912345678", "mã số thuế: 0356789012", "0912345678-001", "cmnd 0912345678", "CCCD 091234567890", "imei 0912345678"],
    "orders": [
        "mã đơn 0912345678",
        "mã vận đơn: 0912345678",
        "đơn hàng số 0912345678",
        "#0912345678",
        "đơn 1234567890123456",
        "SPX0912345678",
        "SPX0912345678VN",
        "DH0912345678",
        "mã giảm giá 0912345678",
        "otp 0912345678",
    ],
    "links": [
        "https://vi-du.example/0912345678",
        "https://vi-du.example/?id=0912345678&x=1",
        "fb.com/0912345678",
        "www.vi-du.example/sp-0912345678.html",
        "shopee.vn/hop-giay-i.0912345678.7",
        "https://zalo.me/g/0912345678",
    ],
    "checksums": ["0912345678ba3ce388", "5d0912345678a1", "8339b05a15742a675"],
    "dates and times": [
        "2026-11-22 10:30",
        "09/12/2026 15",
        "09-12-2026 1530",
        "03.09.2026 0812",
        "09.12.2026 15",
        "09-12-2026 15",
        "2026.09.12 345678",
        "2026-09-12 10 30 45",
        "09/12 - 15/12 20h",
        "08h 12h 15h 20h 22h",
        "ngày 08 09 10 11 12",
    ],
    "lists": ["size 38 39 40 41 42", "size 08-10-12-14-16", "09, 12, 34, 56, 78", "07 08 09 10 11"],
    "longer": [
        "09123456789",
        "0912 345 6789",
        "0912.345.678.901",
        "0912-345-678-901",
        "1.0912.345.678.901",
        "0 9 1 2 3 4 5 6 7 8 9 0 1",
        "09 12 34 56 78 90 12",
        "09123456780987654321",
        "không chín một hai ba bốn năm sáu bảy tám chín một",
    ],
    "shorter": ["091234567", "0912 345 67", "73920148", "không chín một hai ba bốn năm sáu bảy", "0912 345 67 tám cái", "0912 34"],
    "not in the plan": [
        "0000000000",
        "0123456789",
        "0401234567",
        "0501234567",
        "0741234567",
        "0801234567",
        "0312345678",
        "không một hai ba bốn năm sáu bảy tám chín",
    ],
    "of other countries": ["+1 202 555 0100", "+66 0812345678", "+66 81 234 5678", "+61 0412 345 678"],
    "masked": [
        "09x12x34x56x78",
        "09x12x...",
        "0912xxx678",
        "0912***678",
        "0912**345678",
        "0912...678",
        "091234567x",
        "0912345678xx",
        "xxx0912345678",
        "**0912345678",
        "09xx345678 90",
    ],
    "words that say no digits": [
        "một hai ba bốn năm sáu bảy tám chín mười",
        "có bán không ba bốn cái cũng lấy",
        "có không 912 345 678",
        "mua không 912345678",
        "không biết ba năm nay sau này hai đứa ra sao",
        "hông chín là hông ăn",
        "có không? chín một hai ba bốn năm sáu bảy tám",
    ],
}


@pytest.mark.parametrize("context", ["{}", "gọi {} nhé", "Lan – {} – Hà Nội"])
@pytest.mark.parametrize("text", [one for texts in NO_PHONES.values() for one in texts])
def test_another_number_is_no_phone(text: str, context: str) -> None:
    details = find_contact_details(context.format(text))
    assert details.phones == ()
    assert details.places == ()


def test_a_phone_is_found_beside_every_one_of_them() -> None:
    """What is no phone must not hide one in the next line."""
    for texts in NO_PHONES.values():
        for text in texts:
            assert find_contact_details(f"{text}\nsđt 0987 654 321").phones == ("+84987654321",), text


@pytest.mark.parametrize("text", ["0912345678@mau.vn", "0912345678 (at) mau.vn", "0912345678 a còng mau chấm vn"])
def test_digits_inside_an_address_are_the_address(text: str) -> None:
    details = find_contact_details(text)
    assert details.phones == ()
    assert details.emails == ("0912345678@mau.vn",)
