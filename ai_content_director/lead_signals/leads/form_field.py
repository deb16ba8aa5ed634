"""A field of a lead form: what it asks for, read from its name. Names come in many languages, and as their makers liked to write them.

Meta names its own questions in English (`full_name`, `phone_number`); older forms and relays hand over the words the person saw
(`số_điện_thoại`, `nombre_completo`), and custom questions are whole sentences.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final

LONGEST_QUESTION_CHARACTERS: Final = 300


class Asks(StrEnum):
    """What a field asks for, as far as it matters for reaching the person."""

    FULL_NAME = "full_name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    PHONE = "phone"
    ANOTHER_NUMBER = "another_number"
    SOMETHING_ELSE = "something_else"


def asks_for(name: str) -> Asks:
    """What the field of this name asks for."""
    words = folded_words(name[:LONGEST_QUESTION_CHARACTERS])
    if asked := _NAMES.get(" ".join(word for word in words if word not in _COURTESY)):
        return asked
    phrase = f" {' '.join(words)} "
    if any(mark in phrase for mark in _MARKS_OF_ANOTHER_NUMBER):
        return Asks.ANOTHER_NUMBER
    return Asks.PHONE if any(mark in phrase for mark in _MARKS_OF_A_PHONE) else Asks.SOMETHING_ELSE


def question(name: str) -> str:
    """The field's name on one line, as a Vietnamese operator reads it; at most 300 characters."""
    known = _QUESTIONS.get(name.strip().lower())
    if known is not None:
        return known
    words = " ".join(name[:LONGEST_QUESTION_CHARACTERS].replace("_", " ").split()).rstrip(" :")
    return words[:1].upper() + words[1:]


def folded_words(text: str) -> list[str]:
    """Words in small letters without their marks: "Số_Điện_Thoại?" is so, dien, thoai."""
    return _NO_LETTERS.sub(" ", _without_marks(text)).split()


def _without_marks(text: str) -> str:
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))
    return bare.replace("đ", "d").replace("ß", "ss")


_NO_LETTERS: Final = re.compile(r"[\W_]+")


def _folded(*phrases: str) -> list[str]:
    return [" ".join(folded_words(phrase)) for phrase in phrases]


def _marks(*phrases: str) -> tuple[str, ...]:
    """Whole words where a language writes spaces; anywhere in the name where it writes none."""
    return tuple(f" {phrase} " if phrase.isascii() else phrase for phrase in _folded(*phrases))


# What a maker of forms says around the thing asked for: "Vui lòng cho biết họ và tên của anh/chị" asks for "họ và tên".
_COURTESY: Final = frozenset(
    folded_words(
        "vui lòng xin mời hãy cho biết nhập điền ghi để lại vào giúp của bạn anh chị em quý khách mình là gì ạ nhé "
        "please enter tell us your the what is my of tu su votre seu sua ihr"
    )
)
_NAMES: Final = {
    **dict.fromkeys(
        _folded(
            *("full name", "fullname", "name", "contact name", "họ tên", "họ và tên", "tên", "tên đầy đủ", "họ tên đầy đủ"),
            *("họ và tên đầy đủ", "tên khách hàng", "họ tên khách hàng", "tên liên hệ", "tên người liên hệ", "người liên hệ"),
            *("nombre completo", "nombre", "nombre y apellido", "nombre y apellidos", "nome completo", "nome", "nom complet"),
            *("nom et prénom", "vollständiger name", "nama lengkap", "nama", "氏名", "お名前", "名前", "フルネーム", "姓名", "全名"),
            *("이름", "성명", "성함", "ชื่อ", "ชื่อเต็ม", "ชื่อ-นามสกุล", "ชื่อและนามสกุล"),
        ),
        Asks.FULL_NAME,
    ),
    **dict.fromkeys(
        _folded("first name", "firstname", "given name", "tên gọi", "prénom", "vorname", "primeiro nome", "nama depan", "名", "ชื่อจริง"),
        Asks.FIRST_NAME,
    ),
    **dict.fromkeys(
        _folded(
            *("last name", "lastname", "family name", "surname", "họ", "họ và tên đệm", "họ và tên lót", "họ đệm", "họ lót"),
            *("apellido", "apellidos", "sobrenome", "nom de famille", "nachname", "nama belakang", "姓", "นามสกุล"),
        ),
        Asks.LAST_NAME,
    ),
}
_MARKS_OF_A_PHONE: Final = _marks(
    *("phone", "phone number", "telephone", "mobile", "tel", "whatsapp", "zalo", "sđt", "sdth", "điện thoại", "số đt", "số di động"),
    *("teléfono", "telefone", "celular", "téléphone", "telefon", "telefonnummer", "handynummer", "nomor telepon", "nomor hp"),
    *("電話", "电话", "手机", "手機", "携帯", "전화", "휴대폰", "โทร", "เบอร์"),
)
# Ten digits that are not to be called: a tax code, an identity card, an account.
_MARKS_OF_ANOTHER_NUMBER: Final = _marks(
    *("mã số thuế", "mst", "tax", "cccd", "cmnd", "căn cước", "chứng minh", "hộ chiếu", "passport", "số tài khoản", "stk", "account"),
    *("mã đơn", "mã khách", "mã số", "order number", "hoá đơn", "hóa đơn", "invoice"),
)
_QUESTIONS: Final = {
    "full_name": "Họ tên",
    "first_name": "Tên",
    "last_name": "Họ",
    "phone_number": "Số điện thoại",
    "phone": "Số điện thoại",
    "work_phone_number": "Số điện thoại cơ quan",
    "whatsapp_number": "Số WhatsApp",
    "email": "Email",
    "work_email": "Email công việc",
    "company_name": "Công ty",
    "job_title": "Chức vụ",
    "street_address": "Địa chỉ",
    "address": "Địa chỉ",
    "city": "Thành phố",
    "province": "Tỉnh/thành",
    "state": "Tỉnh/thành",
    "country": "Quốc gia",
    "post_code": "Mã bưu chính",
    "zip_code": "Mã bưu chính",
    "date_of_birth": "Ngày sinh",
    "birthday": "Ngày sinh",
    "gender": "Giới tính",
    "marital_status": "Tình trạng hôn nhân",
    "website": "Trang web",
}
