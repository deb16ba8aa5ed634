"""A follow-up in a salesperson's words."""

import orjson
import pytest

from lead_signals.followups.destinations.lead_in_words import INTENT_WORDS, LONGEST_NAME, LONGEST_SAYING, lead_in_words
from lead_signals.intent.verdict import IntentLabel
from lead_signals.leads.lead_words import LEAD_WORDS
from lead_signals.page_frame.language import Language
from tests.followups.destinations.lead_bodies import CONSOLE, MANY, lead_body


def test_all_of_it() -> None:
    lead = lead_in_words(lead_body(), "msg_1")
    assert (lead.intent, lead.who, lead.platform, lead.said) == ("Hỏi giá", "Thu Trần", "Facebook", MANY)
    assert (lead.phones, lead.emails, lead.console_url) == (("+84903000222",), ("thu.tran@example.vn",), CONSOLE)


def test_intents_are_called_as_on_the_console() -> None:
    on_the_console = {label.value: LEAD_WORDS[Language.VI].intents[label] for label in IntentLabel}
    assert dict(INTENT_WORDS) == on_the_console


@pytest.mark.parametrize("nobody", [None, "", "   ", "\u200b\u2060", "\u3164"])
def test_who_has_no_name_and_says_no_word(nobody: str | None) -> None:
    lead = lead_in_words(lead_body(author_name=nobody, content_text=nobody or "", phones=(), emails=(), console_url=None), "msg_1")
    assert (lead.who, lead.said) == ("Chưa rõ tên", "(Không có chữ nào, có thể chỉ gửi ảnh hoặc nhãn dán.)")
    assert (lead.phones, lead.emails, lead.console_url) == ((), (), None)


def test_what_steers_a_screen_is_replaced_and_lines_stay_lines() -> None:
    lead = lead_in_words(lead_body(author_name="A\r\nBcc: x@y.vn\x1b[31m\u202e", content_text="một\r\n\r\n\x00hai\x07\u2028ba"), "msg_1")
    assert lead.who == "A Bcc: x@y.vn\ufffd[31m\ufffd"
    assert lead.said == "một\n\ufffdhai\ufffd\ufffdba"
    assert "\n" not in lead.who


def test_long_texts_are_cut() -> None:
    lead = lead_in_words(
        lead_body(author_name="n" * 500, content_text="ế" * 60_000, phones=tuple(map(str, range(50))), emails=("e" * 500,)), "msg_1"
    )
    assert (len(lead.who), len(lead.said)) == (LONGEST_NAME + 1, LONGEST_SAYING + 1)
    assert (len(lead.phones), len(lead.emails[0])) == (5, 81)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b"null"])
def test_what_is_no_follow_up_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - orjson's or ours
        lead_in_words(body, "msg_1")


def test_strange_fields_are_read_as_nothing() -> None:
    lead = lead_in_words(
        orjson.dumps({"author_name": 7, "content_text": [], "phones": "090", "intent_label": {}, "emails": [None, 3]}), "msg_1"
    )
    assert (lead.intent, lead.who, lead.phones, lead.platform) == ("Chưa rõ", "Chưa rõ tên", (), "")
