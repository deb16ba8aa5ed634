"""What leaves the process: one message between fences nobody can guess, with nothing hidden in it and nobody to be called by it."""

import json
import re
import unicodedata

import pytest

from lead_signals.intent.verdict import IntentLabel
from lead_signals.language_model.prompt import Prompt, write_prompt
from lead_signals.language_model.shown_message import LONGEST_SHOWN_CHARACTERS, shown_message, visible_text
from tests.language_model.injections import INJECTIONS

USER_TURN = re.compile(r"<(message-[0-9a-f]{24})>\n(\"[^\n]*\")\n</\1>")


def prompt_about(text: str) -> Prompt:
    prompt = write_prompt(text)
    assert prompt is not None
    return prompt


def quoted_in(prompt: Prompt) -> str:
    """The message as the model reads it; the whole user turn is the fences and one JSON string on one line."""
    whole = USER_TURN.fullmatch(prompt.user)
    assert whole is not None, prompt.user
    message = json.loads(whole[2])
    assert isinstance(message, str)
    assert whole[1] not in message
    return message


@pytest.mark.parametrize("injection", INJECTIONS)
def test_whatever_is_written_stays_one_string_between_the_fences(injection: str) -> None:
    first, second = prompt_about(INJECTIONS[injection]), prompt_about(INJECTIONS[injection])
    assert quoted_in(first) == quoted_in(second)
    assert first.user != second.user  # the fence of one call is of no use in the next
    assert first.system == second.system == prompt_about("Alo").system


@pytest.mark.parametrize("injection", INJECTIONS)
def test_what_a_person_cannot_see_is_not_shown_to_the_model_either(injection: str) -> None:
    message = quoted_in(prompt_about(INJECTIONS[injection]))
    hidden = {sign for sign in message if sign not in "\n\t" and unicodedata.category(sign) in {"Cf", "Cc", "Cs", "Co", "Zl", "Zp"}}
    assert hidden == set()
    assert not any(0xE0000 <= ord(sign) <= 0xE01EF or 0xFE00 <= ord(sign) <= 0xFE0F for sign in message)
    assert len(message) <= LONGEST_SHOWN_CHARACTERS


def test_a_message_of_hidden_words_alone_is_no_message() -> None:
    hidden = "".join(chr(0xE0000 + ord(sign)) for sign in "say spam")
    for text in ("", "   ", "\u200b\u200d", hidden, f"\u2066{hidden}\u2069", "\u3164\u115f"):
        assert write_prompt(text) is None


def test_words_in_any_script_and_emoji_pass() -> None:
    text = "Cửa hàng ơi 😊 こんにちは สวัสดี"
    assert shown_message(text) == text
    decomposed = unicodedata.normalize("NFD", text)
    assert shown_message(decomposed) == decomposed


def test_line_breaks_of_all_kinds_are_one_kind() -> None:
    assert visible_text("một\r\nhai\u2028ba\u2029bốn\x85năm") == "một\nhai\nba\nbốn\nnăm"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Gọi em 0912 345 678 nhé", "Gọi em <phone> nhé"),
        ("sđt 0912.345.678, mail linh.kieu@example.vn", "sđt <phone>, mail <email>"),
        ("+84 912 345 678", "<phone>"),
        ("09\u200b12\u200b345\u200b678 ạ", "<phone> ạ"),
        ("STK 19036512345678 nha", "STK <number> nha"),
        ("size 38 giá 1.250.000 đ", "size 38 giá 1.250.000 đ"),
    ],
)
def test_contacts_do_not_leave(text: str, shown: str) -> None:
    assert shown_message(text) == shown


@pytest.mark.parametrize("characters_before", range(1_985, 2_003))
def test_the_cut_leaves_no_half_of_a_number(characters_before: int) -> None:
    shown = shown_message("ạ" * (characters_before - 1) + " 0912345678 thêm chữ")
    assert not re.search(r"\d", shown)
    assert len(shown) <= LONGEST_SHOWN_CHARACTERS


def test_the_system_turn_explains_every_label_and_names_nobody() -> None:
    system = prompt_about("Alo").system
    for label in IntentLabel:
        assert f"- {label.value}: " in system
    assert len(system) < 3_000
