"""What payload files of Zalo cannot show well: ids that are made, what stands beside an event, and lengths."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.json_body import parse_json_body
from lead_signals.platforms.inbound_signal import InboundSignal, QuarantinedItem
from lead_signals.platforms.zalo import official_account
from lead_signals.platforms.zalo.official_account import holds_more_items_than, read_signals
from tests.platforms.adapter_conformance import NOW, PAYLOADS, STRANGE_VALUES, TEXTS, fuzzed

OA, LAN = "5500660077008800990", "6100200300400500601"


def event(name: str = "user_send_text", **more: Any) -> dict[str, Any]:
    told = {
        "app_id": "4400110022003300440",
        "sender": {"id": LAN},
        "recipient": {"id": OA},
        "event_name": name,
        "timestamp": "1795260000120",
    }
    return told | more


def only_signal(body: dict[str, Any]) -> InboundSignal:
    reading = read_signals(body, NOW)
    assert (reading.changes, reading.ignored, reading.quarantined) == ((), (), ())
    (signal,) = reading.signals
    return signal


def reason(body: dict[str, Any]) -> str:
    reading = read_signals(body, NOW)
    (item,) = (*reading.ignored, *reading.quarantined)
    return item.reason


@pytest.mark.parametrize(
    "body",
    [{}, event(), {"event_name": 5}, {"oa_id": []}, {"entry": [{}, {}]}, {"events": [event(), event()]}],
    ids=["nothing", "message", "odd name", "odd account", "entries of another platform", "events in a list"],
)
def test_every_body_is_one_item(body: dict[str, Any]) -> None:
    assert read_signals(body, NOW).items_received == 1
    assert [holds_more_items_than(body, limit) for limit in (0, 1, 1000)] == [True, False, False]


@fuzzed
@given(data=st.data())
def test_what_stands_beside_an_event_under_other_names_changes_nothing(data: st.DataObject) -> None:
    payloads = sorted(path for path in (PAYLOADS / "zalo").glob("*.json") if not path.name.endswith(".expected.json"))
    body = parse_json_body(data.draw(st.sampled_from(payloads)).read_bytes())
    strangers = data.draw(st.dictionaries(TEXTS.map(lambda name: f"x_{name}"), STRANGE_VALUES, max_size=3))
    before, after = read_signals(body, NOW), read_signals(body | strangers, NOW)
    assert (after.signals, after.ignored) == (before.signals, before.ignored)
    assert [(item.reason, item.where) for item in after.quarantined] == [(item.reason, item.where) for item in before.quarantined]


@pytest.mark.parametrize("name", ["user_send_text", "user_send_group_text", "anonymous_send_text", "user_send_gif", "user_send_poll"])
def test_whatever_a_person_sends_is_a_signal_when_it_has_words(name: str) -> None:
    signal = only_signal(event(name, oa_id=OA if "group" in name else None, message={"text": "giá sao", "msg_id": "m"}))
    assert (signal.source_type, signal.content_text, signal.channel_external_id) == ("message", "giá sao", OA)


@pytest.mark.parametrize("name", ["user_send_", "xuser_send_text", "user_send_text ", "user_send_Text", "robot_send_text", ""])
def test_a_name_that_is_almost_that_of_a_message_is_an_unknown_event(name: str) -> None:
    assert reason(event(name, message={"text": "giá sao", "msg_id": "m"})) == "unknown_event"


def test_a_shared_contact_is_known_by_who_sent_it_and_when() -> None:
    def shared(**more: Any) -> str | None:
        return only_signal(event("user_submit_info", info={"phone": "0900000041"}, **more)).external_message_id

    assert shared() == shared(user_id_by_app="7")
    assert len({shared(), shared(timestamp="1795260000121"), shared(sender={"id": "6"}), shared(recipient={"id": "5"})}) == 4
    assert shared(timestamp=None) is None


def test_a_shared_contact_has_bounded_answers() -> None:
    signal = only_signal(event("user_submit_info", info={f"q{n}": "x" * 5_000 for n in range(400)}))
    answers = signal.meta["field_data"]
    assert isinstance(answers, list)
    assert len(answers) == 100
    assert answers[0] == {"name": "q0", "values": ["x" * 1_024]}


def test_a_tap_without_an_id_is_known_by_who_tapped_what_and_when() -> None:
    def tap(text: str = "Báo giá", **more: Any) -> str | None:
        return only_signal(event("user_click_button", message={"text": text}, **more)).external_message_id

    assert tap() == tap()
    assert len({tap(), tap("Gọi lại"), tap(timestamp="1795260000121"), tap(sender={"id": "6"})}) == 4
    assert tap(timestamp=None) is None


def test_a_tap_and_a_message_of_the_same_id_are_two_sayings() -> None:
    said = {"text": "Báo giá", "msg_id": "m_1"}
    message, tap = only_signal(event(message=said)), only_signal(event("user_click_button", message=said))
    assert (message.external_message_id, tap.external_message_id, tap.meta["mid"]) == ("m_1", "postback:m_1", "m_1")
    assert reason(event("user_click_button", message={"text": "x", "msg_id": "9" * 512})) == "id_too_long"


def test_the_phone_number_of_a_notification_receipt_is_no_channel() -> None:
    receipt = event("user_received_message", sender={"id": OA}, recipient={"id": "84900000042"}, message={"delivery_time": "1"})
    assert read_signals(receipt, NOW).channels == (OA,)
    assert read_signals(event("user_received_message", message={"msg_id": "m"}), NOW).channels == (OA,)


def test_a_group_is_no_channel() -> None:
    in_group = event("user_send_group_text", recipient={"id": "g_1"}, message={"text": "giá sao", "msg_id": "m"})
    assert read_signals(in_group, NOW).channels == (None,)
    assert read_signals(in_group | {"oa_id": OA}, NOW).channels == (OA,)


def test_an_event_of_two_accounts_belongs_to_neither() -> None:
    reading = read_signals(event(oa_id="5", message={"text": "giá sao", "msg_id": "m"}), NOW)
    assert [(item.reason, item.channel_external_id) for item in reading.quarantined] == [("recipient_is_another_account", None)]


def test_a_long_text_is_cut_at_65536_characters_and_says_so() -> None:
    signal = only_signal(event(message={"text": "ả" * 70_000, "msg_id": "m"}))
    assert (len(signal.content_text), signal.meta["truncated"]) == (65_536, True)


@pytest.mark.parametrize("description", [None, 5, "no json", "[]", '{"phone": 5}', '{"phone": ""}', '{"a":' * 40 + "1" + "}" * 40])
def test_a_card_whose_phone_cannot_be_read_is_a_card_without_phone(description: Any) -> None:
    card = {"type": "link", "payload": {"description": description}}
    signal = only_signal(event("user_send_business_card", message={"msg_id": "m", "attachments": [card]}))
    assert signal.meta["attachments"] == [{"type": "business_card"}]


def test_a_reader_at_fault_costs_one_item_and_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> InboundSignal:
        raise KeyError("words of a customer")

    monkeypatch.setattr(official_account, "read_event", faulty)
    (item,) = read_signals(event(), NOW).quarantined
    assert isinstance(item, QuarantinedItem)
    assert (item.reason, item.channel_external_id) == ("reader_failed", OA)
    assert item.where.startswith("body (KeyError at test_zalo.py:")
    assert "customer" not in item.where
