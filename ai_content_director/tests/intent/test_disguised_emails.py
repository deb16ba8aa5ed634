"""E-mail addresses that machines shall not see. All of them are invented."""

import pytest

from lead_signals.intent.contact.contact_details import find_contact_details


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("lan.vu (at) mau.vn", "lan.vu@mau.vn"),
        ("lan.vu(at)mau.vn", "lan.vu@mau.vn"),
        ("Lan[at]CongTyMau chấm vn", "lan@congtymau.vn"),
        ("lan {at} mau (dot) com (dot) vn", "lan@mau.com.vn"),
        ("lan(@)mau.vn", "lan@mau.vn"),
        ("lan a còng gmail chấm com", "lan@gmail.com"),
        ("lan a cong gmail cham com", "lan@gmail.com"),
        ("LAN ACÒNG GMAIL CHẤM COM", "lan@gmail.com"),
        ("lan (a còng) mau chấm com chấm vn", "lan@mau.com.vn"),
        ("nguyen chấm lan a còng gmail chấm com", "nguyen.lan@gmail.com"),
        ("lan.vu @ gmail . com", "lan.vu@gmail.com"),
        ("lan.vu @gmail.com", "lan.vu@gmail.com"),
        ("lan.vu@ yahoo.com.vn", "lan.vu@yahoo.com.vn"),
        ("lan at gmail dot com", "lan@gmail.com"),
        ("lan a co\u0300ng gmail cha\u0302\u0301m com", "lan@gmail.com"),
    ],
)
def test_an_unmistakable_address_is_read(text: str, address: str) -> None:
    details = find_contact_details(f"mail: {text}, cảm ơn")
    assert details.emails == (address,)
    assert [f"mail: {text}, cảm ơn"[place.start : place.end] for place in details.places] == [text]


@pytest.mark.parametrize(
    "text",
    [
        "shop ở (at) nhà",
        "gặp at home nha",
        "hẹn @ 10.30",
        "lan at mau.vn",
        "lan @ mau.vn",
        "@gmail.com",
        "em có gmail chấm com không",
        "x a còng y",
        "cái còng gmail chấm com",
        "cong ty gmail cham com",
        "lan (at) mau",
        "(at) mau.vn",
        "ba còng lưng, chấm com ăn",
    ],
)
def test_what_may_be_something_else_is_left_alone(text: str) -> None:
    assert find_contact_details(text).emails == ()


def test_plain_and_disguised_addresses_come_in_the_order_of_the_text() -> None:
    text = "b (at) mau.vn hoặc a@mau.vn hoặc c a còng gmail chấm com, b@mau.vn"
    details = find_contact_details(text)
    assert details.emails == ("b@mau.vn", "a@mau.vn", "c@gmail.com")
    assert [text[place.start : place.end] for place in details.places] == [
        "b (at) mau.vn",
        "a@mau.vn",
        "c a còng gmail chấm com",
        "b@mau.vn",
    ]


def test_a_plain_address_is_not_read_a_second_time_as_part_of_a_disguised_one() -> None:
    details = find_contact_details("lan (at) gmail.com.vu@mau.vn")
    assert details.emails == ("gmail.com.vu@mau.vn",)
    assert len(details.places) == 1
