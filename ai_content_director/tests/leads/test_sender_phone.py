"""Who writes from a phone can be called back on it."""

import pytest

from lead_signals.leads.sender_phone import with_sender_phone


def test_the_number_a_message_came_from_stands_behind_those_in_its_text() -> None:
    assert with_sender_phone(["+84912345600"], {"wa_id": "84912000100"}) == ["+84912345600", "+84912000100"]
    assert with_sender_phone(["+84912000100"], {"wa_id": "84912000100"}) == ["+84912000100"]


@pytest.mark.parametrize(
    "wa_id", [None, "", "US.1349120", "0912000100", "84912\n000100", "٨٤٩١٢٠٠٠١٠٠", "1" * 16, 84912000100, ["84912000100"]]
)
def test_what_is_no_number_is_nobodys_phone(wa_id: object) -> None:
    assert with_sender_phone([], {"wa_id": wa_id}) == []
