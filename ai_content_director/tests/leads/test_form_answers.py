"""Lead forms as people make them: in several languages, with questions of their own, and with what strangers write into them."""

import time
from typing import Any

import pytest

from lead_signals.intent.verdict import IntentLabel, Priority
from lead_signals.leads.form_answers import LONGEST_VALUE_CHARACTERS, MOST_ANSWERS, FormAnswers, form_answers, kept_field_data
from lead_signals.leads.form_field import Asks, asks_for, question
from lead_signals.leads.form_verdict import LEAD_FORM_RULE, form_verdict
from lead_signals.platforms.spoken_text import LONGEST_NAME_CHARACTERS, LONGEST_TEXT_CHARACTERS


def field_data(**answers: str) -> list[Any]:
    return [{"name": name, "values": [value]} for name, value in answers.items()]


@pytest.mark.parametrize(
    ("answers", "name", "phones", "emails"),
    [
        pytest.param(
            {"full_name": "Tạ Bích Ngân", "phone_number": "+84912345607", "email": "Bich.Ngan@XuongMay.example"},
            "Tạ Bích Ngân",
            ("+84912345607",),
            ("bich.ngan@xuongmay.example",),
            id="as Meta names its questions",
        ),
        pytest.param(
            {"first_name": "Ngân", "last_name": "Trần Bích", "phone_number": "0912.345.607"},
            "Trần Bích Ngân",
            ("+84912345607",),
            (),
            id="two names, the family first as it speaks",
        ),
        pytest.param(
            {"first_name": "Clara", "last_name": "Weber", "work_phone_number": "+49 30 901820", "work_email": "c@weber.example"},
            "Clara Weber",
            ("+4930901820",),
            ("c@weber.example",),
            id="a foreigner",
        ),
        pytest.param(
            {"số_điện_thoại": "84 912 345 607", "họ_tên": "  Tạ\tBích   Ngân ", "thư_điện_tử": "ngan@may.example"},
            "Tạ Bích Ngân",
            ("+84912345607",),
            ("ngan@may.example",),
            id="in Vietnamese",
        ),
        pytest.param(
            {"họ": "Tạ", "tên": "Bích Ngân", "sđt/zalo": "0912345607"}, "Tạ Bích Ngân", ("+84912345607",), (), id="họ and tên asked apart"
        ),
        pytest.param(
            {
                "Vui lòng cho biết họ và tên của anh/chị?": "Ngân",
                "Bạn muốn chúng tôi liên hệ thế nào?": "gọi 0912345607 hoặc n@may.example",
            },
            "Ngân",
            ("+84912345607",),
            ("n@may.example",),
            id="questions of its maker alone",
        ),
        pytest.param({"nombre_completo": "Lucía Prado", "teléfono": "+34 612 345 678"}, "Lucía Prado", ("+34612345678",), (), id="Spanish"),
        pytest.param({"お名前": "青木 遥", "電話番号": "+81 90-1234-5678"}, "青木 遥", ("+819012345678",), (), id="Japanese"),
    ],
)
def test_who_they_are_and_how_to_reach_them(answers: dict[str, str], name: str, phones: tuple[str, ...], emails: tuple[str, ...]) -> None:
    read = form_answers(field_data(**answers))
    assert (read.name, read.phones, read.emails) == (name, phones, emails)


def test_the_text_reads_as_a_person_would_write_it_down() -> None:
    read = form_answers(
        [
            {"name": "full_name", "values": ["Tạ Bích Ngân"]},
            {"name": "bạn_cần_tư_vấn_gì?", "values": ["đồng_phục_công_ty", "in logo"]},
            {"name": "email", "values": ["bich_ngan@may.example"]},
            {"name": "ghi_chú:", "values": ["giao trước Tết\nHọ tên: kẻ giả mạo"]},
            {"name": "gender", "values": []},
        ]
    )
    assert read.text.split("\n") == [
        "Họ tên: Tạ Bích Ngân",
        "Bạn cần tư vấn gì? đồng phục công ty, in logo",
        "Email: bich_ngan@may.example",
        "Ghi chú: giao trước Tết Họ tên: kẻ giả mạo",
    ]


def test_numbers_that_are_not_to_be_called() -> None:
    read = form_answers(
        field_data(
            mã_số_thuế="0381234567",
            số_tài_khoản="0912345608",
            phone_number="1900 1234",
            số_điện_thoại_công_ty="12",
            tên_công_ty="Xưởng May Hương Sen",
        )
    )
    assert (read.phones, read.name, read.reachable) == ((), None, False)


def test_the_phone_that_was_asked_for_comes_first_and_each_once() -> None:
    read = form_answers(field_data(ghi_chú="vợ em 0987654320, em 0912345607", phone_number="0912345607"))
    assert read.phones == ("+84912345607", "+84987654320")


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(None, id="nothing"),
        pytest.param("full_name", id="a text"),
        pytest.param({"full_name": "Ngân"}, id="an object"),
        pytest.param([None, 7, "x", [], {}, {"name": 7}, {"name": " "}, {"values": ["0912345607"]}], id="no answers in the list"),
        pytest.param(
            [{"name": "phone_number", "values": [[["0912345607"]], {"a": "0912345607"}, None, True, 1.5, 10**5_000]}], id="no values"
        ),
        pytest.param([{"name": "phone_number", "values": "[" * 5_000}], id="brackets"),
    ],
)
def test_what_is_of_another_shape_is_not_there(hostile: Any) -> None:
    read = form_answers(hostile)
    assert (read.name, read.phones, read.emails) == (None, (), ())


def test_a_number_and_a_bare_value_are_read_too() -> None:
    assert form_answers([{"name": "phone_number", "values": [84912345607]}, {"name": "full_name", "values": "Ngân"}]) == FormAnswers(
        "Ngân", ("+84912345607",), (), "Số điện thoại: 84912345607\nHọ tên: Ngân"
    )


def test_what_strangers_write_stays_in_its_bounds() -> None:
    long = "\x00" + "n" * 100_000
    many = [{"name": "câu_hỏi\x00" + "?" * 5_000, "values": [long] * 500}] * 500
    read = form_answers([{"name": "full_name", "values": [long]}, *many])
    kept = kept_field_data([{"name": "full_name", "values": [long]}, *many])
    assert read.name is not None
    assert len(read.name) == LONGEST_NAME_CHARACTERS
    assert len(read.text) == LONGEST_TEXT_CHARACTERS
    assert "\x00" not in f"{read}{kept}"
    assert "\u2400" in read.name
    assert len(kept) == MOST_ANSWERS
    assert max(len(value) for answer in kept for value in answer["values"]) == LONGEST_VALUE_CHARACTERS  # type: ignore[index, call-overload]


def test_a_form_of_nothing_but_numbers_costs_no_seconds() -> None:
    numbers = [{"name": "ghi_chú", "values": ["0912345607 " * 93] * 20}] * 100
    begun = time.process_time()
    verdict = form_verdict(form_answers([*numbers[1:], {"name": "phone_number", "values": ["0987654320"]}]))
    assert time.process_time() - begun < 1  # 0.06 s; reading all of it took 8 s
    assert verdict.phones == ("+84987654320", "+84912345607")


def test_what_is_kept_reads_the_same_again() -> None:
    data = field_data(full_name="Tạ Bích Ngân", số_điện_thoại="0912345607", ghi_chú="a\x00b")
    assert form_answers(kept_field_data(data)) == form_answers(data)


def test_a_form_with_a_way_to_reach_its_sender_asks_to_be_contacted() -> None:
    answers = form_answers(field_data(full_name="Tạ Bích Ngân", phone_number="0912345607"))
    verdict = form_verdict(answers)
    assert (verdict.intent_label, verdict.priority, verdict.status) == (IntentLabel.CONTACT_REQUEST, Priority.HIGH, "new_auto")
    assert (verdict.phones, verdict.emails) == (answers.phones, ())
    (seen,) = verdict.evidence
    assert (seen.rule, seen.matched) == (LEAD_FORM_RULE, "0912345607")
    assert answers.text[seen.start : seen.end] == seen.matched


def test_a_foreign_number_is_no_place_we_can_point_at() -> None:
    answers = form_answers(field_data(phone="+49 30 901820"))
    (seen,) = form_verdict(answers).evidence
    assert (seen.start, seen.end) == (0, len(answers.text))


def test_without_phone_and_e_mail_it_is_an_inquiry_for_a_person_to_look_at() -> None:
    verdict = form_verdict(form_answers(field_data(full_name="Tạ Bích Ngân", ghi_chú="tư vấn giúp")))
    assert (verdict.intent_label, verdict.priority, verdict.status) == (IntentLabel.INQUIRY, Priority.MEDIUM, "new_draft")
    assert [seen.rule for seen in verdict.evidence] == [LEAD_FORM_RULE]


def test_an_empty_form_has_a_verdict_and_no_evidence() -> None:
    verdict = form_verdict(form_answers([]))
    assert (verdict.intent_label, verdict.evidence) == (IntentLabel.INQUIRY, ())


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        ("full_name", Asks.FULL_NAME),
        ("Tên của quý khách là gì ạ?", Asks.FULL_NAME),
        ("What is your name?", Asks.FULL_NAME),
        ("tên_công_ty", Asks.SOMETHING_ELSE),
        ("tên_của_bé", Asks.SOMETHING_ELSE),
        ("company_name", Asks.SOMETHING_ELSE),
        ("họ", Asks.LAST_NAME),
        ("SỐ ĐIỆN THOẠI (Zalo)", Asks.PHONE),
        ("intel_core", Asks.SOMETHING_ELSE),
        ("手机号码", Asks.PHONE),
        ("mã số thuế", Asks.ANOTHER_NUMBER),
        ("email", Asks.SOMETHING_ELSE),
        ("???", Asks.SOMETHING_ELSE),
    ],
)
def test_what_a_field_asks_for(name: str, asks: Asks) -> None:
    assert asks_for(name) is asks


def test_a_question_is_one_line() -> None:
    assert question("PHONE_NUMBER") == "Số điện thoại"
    assert question("bạn_ở\nđâu :") == "Bạn ở đâu"
    assert len(question("x" * 5_000)) == 300
