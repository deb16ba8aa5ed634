"""Every disguise of a number that people use, and the number that it is. All numbers are invented."""

import unicodedata

import pytest

from lead_signals.intent.contact.contact_details import find_contact_details

ONE_NUMBER = "+84912345678"
DISGUISES = {
    "blanks, dots, dashes": [
        "0912 345 678",
        "0912.345.678",
        "0912-345-678",
        "0912–345—678",
        "0 9 1 2 3 4 5 6 7 8",
        "0.9.1.2.3.4.5.6.7.8",
        "0912.345 678",
    ],
    "other signs": [
        "(091) 234-5678",
        "0912/345/678",
        "0912_345_678",
        "0912*345*678",
        "0912~345~678",
        "0912,345,678",
        "0912|345|678",
        "0912•345•678",
    ],
    "grouped otherwise": ["091 234 5678", "09 12 34 56 78", "0912 34 56 78", "091 2345678", "09123 45678", "(09) 12 34 56 78"],
    "blanks not seen": [
        "0912\u00a0345\u00a0678",
        "0912\u200b345\u200b678",
        "0912\u2009345\u2009678",
        "0\u200d9\u200d12345678",
        "\u202a0912345678\u202c",
    ],
    "with the country": [
        "+84912345678",
        "+84 912 345 678",
        "+ 84 912 345 678",
        "84912345678",
        "0084912345678",
        "00 84 912 345 678",
        "84 912 345 678",
    ],
    "country and trunk nought": [
        "(+84) 0912 345 678",
        "+84 (0) 912 345 678",
        "+840912345678",
        "(84) 912 345 678",
        "+84-912-345-678",
        "🇻🇳+84 912.345.678",
        "+84 912/34/56/78",
    ],
    "letters for digits": ["O912345678", "o9l2345678", "O9I2.345.678", "O9l2 345 678", "О912345678", "o 9 1 2 3 4 5 6 7 8"],
    "other digits": ["０９１２３４５６７８", "𝟎𝟗𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖", "𝟬𝟵𝟭𝟮.𝟯𝟰𝟱.𝟲𝟳𝟴", "⓪⑨①②③④⑤⑥⑦⑧", "⁰⁹¹²³⁴⁵⁶⁷⁸", "⓿❾❶❷❸❹❺❻❼❽"],
    "keycaps": ["0️⃣9️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "0️⃣ 9️⃣ 1️⃣ 2️⃣ 3️⃣ 4️⃣ 5️⃣ 6️⃣ 7️⃣ 8️⃣", "0⃣9⃣1⃣2⃣ 345678"],
    "emoji between": ["0912😀345😀678", "0❤️9❤️1❤️2❤️3❤️4❤️5❤️6❤️7❤️8", "0912 ☎️ 345 ☎️ 678", "0912👉🏻345👉🏻678"],
    "words between": ["0912 chấm 345 chấm 678", "0912 cham 345 678", "0912nha345nha678", "09a12a34a56a78"],
    "in words": [
        "không chín một hai ba bốn năm sáu bảy tám",
        "Không chín mốt hai ba tư lăm sáu bẩy tám",
        "KHÔNG CHÍN MỘT HAI BA BỐN NĂM SÁU BẢY TÁM",
        "khong chin mot hai ba bon nam sau bay tam",
        "không-chín-một-hai-ba-bốn-năm-sáu-bảy-tám",
        "không, chín, một, hai, ba, bốn, năm, sáu, bảy, tám",
        "không chín 🙂 một hai ba 🙂 bốn năm sáu 🙂 bảy tám",
        "khôngchínmộthaibabốnnămsáubảytám",
        "hông chín một hai ba bốn năm sáu bảy tám",
        "ko chín một hai ba bốn năm sáu bảy tám",
        "o chín một hai ba bốn năm sáu bảy tám",
        "+84 chín một hai ba bốn năm sáu bảy tám",
    ],
    "digits and words": [
        "09 một hai 345 sáu 78",
        "0 chín 1 2 ba 4 5 6 7 8",
        "không chín 12 ba bốn 5678",
        "0912 ba 45 678",
        "09một2ba4năm6bảy8",
    ],
}
CONTEXTS = ["{}", "gọi em {} nhé", "sđt:{}", "zalo {}.", "2 túi, {}, 12 Lê Lợi", "Lan – {} – Hà Nội", "({})"]


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("written", [one for written in DISGUISES.values() for one in written])
def test_a_number_is_seen_through_its_disguise_wherever_it_stands(written: str, context: str) -> None:
    details = find_contact_details(context.format(written))
    assert details.phones == (ONE_NUMBER,)
    assert len(details.places) == 1


@pytest.mark.parametrize("written", DISGUISES["in words"])
def test_words_may_be_typed_with_their_marks_apart(written: str) -> None:
    assert find_contact_details(unicodedata.normalize("NFD", f"số em {written} ạ")).phones == (ONE_NUMBER,)


@pytest.mark.parametrize(
    "text",
    [
        "sđt0912345678",
        "SĐT0912345678",
        "SDT0912345678",
        "zalo0912345678",
        "zalo:0912345678",
        "Hà0912345678",
        "0912345678nhé",
        "0912345678lh",
        "0912345678ok",
        "0912345678l",
        "lo0912345678",
        "lan@mau.vn+84912345678",
        "2túi0912345678",
        "Tên+sđt: Hà+0912345678",
        "p:+84912345678",
        "1. 0912345678",
        "lấy x2 0912345678",
        "0912345678 x2",
        "0912 345 678 120 Lê Lợi",
        "0912 345 678 500k",
        "mua 2 0912 345 678",
        "size 38 0912.345.678",
        "ngày 22/11/2026 0912345678",
        "0912345678 hai túi",
        "chốt đơn 0912345678",
        "đơn hàng 0912345678 giao chưa",
        "có zalo không 0912345678",
        "ck rồi nha, stk của shop đúng ạ, sđt em 0912345678",
        "tel:0912345678",
        "zalo.me/0912345678",
        "https://zalo.me/0912345678",
        "https://zalo.me/84912345678?src=qr",
        "https://wa.me/84912345678",
        "https://vi-du.example/a1234567890 0912345678",
    ],
)
def test_what_stands_around_it_does_not_hide_it(text: str) -> None:
    assert find_contact_details(text).phones == (ONE_NUMBER,)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(028) 3822 1234", "+842838221234"),
        ("028.3822.1234", "+842838221234"),
        ("+84 28 3822 1234", "+842838221234"),
        ("(84-28) 38221234", "+842838221234"),
        ("028 3822 1234 máy lẻ 12", "+842838221234"),
        ("028 3822 1234 ext 12", "+842838221234"),
        ("02838221234-12", "+842838221234"),
        ("02838221234 (12)", "+842838221234"),
        ("0236 3822 123", "+842363822123"),
        ("không hai tám ba tám hai hai một hai ba bốn", "+842838221234"),
        ("0164 222 1675", "+84342221675"),
        ("không một sáu bốn hai hai hai một sáu bảy năm", "+84342221675"),
        ("+84 164 222 1675", "+84342221675"),
    ],
)
def test_landlines_and_old_mobiles_wear_the_same_disguises(text: str, number: str) -> None:
    assert find_contact_details(f"gọi {text} nhé").phones == (number,)


@pytest.mark.parametrize(
    "text",
    [
        "0912.345.678 - 0987 654 321",
        "0912345678/0987654321",
        "0912345678, 0987654321",
        "0912345678,0987654321",
        "0912345678-0987654321",
        "0912345678+0987654321",
        "0912345678 hoặc 0987654321",
        "0912345678 và 0987654321",
        "0912345678 (0987654321)",
        "0912345678\n0987654321",
        "0912 345 678 0987 654 321",
        "09 12 34 56 78 09 87 65 43 21",
        "0 9 1 2 3 4 5 6 7 8 0 9 8 7 6 5 4 3 2 1",
        "không chín một hai ba bốn năm sáu bảy tám không chín tám bảy sáu năm bốn ba hai một",
    ],
)
def test_two_numbers_side_by_side_stay_two(text: str) -> None:
    details = find_contact_details(text)
    assert details.phones == (ONE_NUMBER, "+84987654321")
    assert len(details.places) == 2
