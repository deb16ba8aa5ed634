"""What payload files cannot show well: sizes, hostile forms, whose names are whose, and the count of items against a second counter."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.json_body import DEEPEST_NESTING
from lead_signals.platforms.inbound_signal import InboundSignal
from lead_signals.platforms.whatsapp.business_account import WHATSAPP, read_signals
from lead_signals.platforms.whatsapp.item_count import holds_more_items_than
from tests.platforms.adapter_conformance import NOW, STRANGE_VALUES, TEXTS, fuzzed

NUMBER = "880100200300401"
LAN = "84900000101"


def text(**message: Any) -> dict[str, Any]:
    return {"from": LAN, "id": "wamid.1", "timestamp": "1795260000", "type": "text", "text": {"body": "giá sao"}} | message


def form(response_json: Any) -> dict[str, Any]:
    reply = {"name": "flow", "body": "Đã gửi", "response_json": response_json}
    return text(type="interactive", interactive={"type": "nfm_reply", "nfm_reply": reply})


def change(*messages: Any, **value: Any) -> dict[str, Any]:
    told = {
        "metadata": {"display_phone_number": "84 28 7300 0401", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Trần Thị Lan"}, "wa_id": LAN}],
        "messages": list(messages),
    }
    return {"field": "messages", "value": told | value}


def delivery(*changes: Any) -> dict[str, Any]:
    return {"object": "whatsapp_business_account", "entry": [{"id": "700900800100", "changes": list(changes)}]}


def only_signal(message: dict[str, Any], **value: Any) -> InboundSignal:
    reading = read_signals(delivery(change(message, **value)), NOW)
    assert (reading.changes, reading.ignored, reading.quarantined) == ((), (), ())
    (signal,) = reading.signals
    return signal


def names(*messages: dict[str, Any], **value: Any) -> list[str | None]:
    return [signal.author_name for signal in read_signals(delivery(change(*messages, **value)), NOW).signals]


def test_it_speaks_as_meta_does() -> None:
    assert (WHATSAPP.platform, WHATSAPP.signature_header, WHATSAPP.answers_handshake) == ("whatsapp", "X-Hub-Signature-256", True)


def test_a_caption_of_a_million_characters_is_cut_and_says_so() -> None:
    signal = only_signal(text(type="image", image={"id": "5", "caption": "ả" * 1_000_000}))
    assert (signal.content_text, signal.meta["truncated"]) == ("ả" * 65_536, True)
    assert only_signal(text(text={"body": "x" * 65_536})).meta == {"wa_id": LAN}
    edit = text(type="edit", edit={"original_message_id": "wamid.0", "message": {"type": "text", "text": {"body": "\x00" * 70_000}}})
    (edited,) = read_signals(delivery(change(edit)), NOW).changes
    assert edited.content_text == "\u2400" * 65_536


def test_notes_from_a_sender_stay_short() -> None:
    cards = [{"name": {"formatted_name": "T" * 5_000}, "phones": [{"phone": "9" * 5_000}] * 50}] * 400
    shared = only_signal(text(type="contacts", contacts=cards)).meta["attachments"]
    assert shared == [{"type": "contact", "name": "T" * 1_024, "phones": ["9" * 1_024] * 5}] * 20
    products = [{"product_retailer_id": "P", "quantity": 1}] * 5_000
    order = only_signal(text(type="order", order={"product_items": products})).meta["order"]
    assert order == {"items": [{"product_id": "P", "quantity": 1}] * 100}
    assert only_signal(text(type="k" * 5_000)).meta["message_type"] == "k" * 1_024


@pytest.mark.parametrize(
    ("response_json", "note"),
    [
        ('{"a":' + "[" * 500_000 + "]" * 500_000 + "}", "not_json"),
        ('{"a":' + "[" * DEEPEST_NESTING + "]" * DEEPEST_NESTING + "}", "too_deep"),
        ('{"a": NaN}', "not_json"),
        ('{"a": "\\ud800", "b": NaN}', "not_json"),
        ("", "not_json"),
        ("x" * 1_000_000, "not_json"),
        ('"{}"', "not_an_object"),
        ("null", "not_an_object"),
        (False, "not_text"),
        (["{}"], "not_text"),
    ],
)
def test_a_form_that_cannot_be_read_costs_only_its_answers(response_json: Any, note: str) -> None:
    signal = only_signal(form(response_json))
    assert (signal.content_text, dict(signal.meta)) == ("Đã gửi", {"wa_id": LAN, "answers_note": note, "flow_name": "flow"})


def test_a_huge_form_keeps_a_hundred_short_answers() -> None:
    answers: dict[str, Any] = {"flow_token": "tk", "ghi_chu": "ả" * 5_000, "chon": [str(n) for n in range(50)]}
    told = only_signal(form(json.dumps(answers | {f"o{n}": n for n in range(20_000)}))).meta["field_data"]
    assert isinstance(told, list)
    assert len(told) == 99, "the token that names the form is no answer"
    assert told[:3] == [
        {"name": "ghi_chu", "values": ["ả" * 1_024]},
        {"name": "chon", "values": [str(n) for n in range(20)]},
        {"name": "o0", "values": ["0"]},
    ]
    assert "tk" not in json.dumps(told)


@pytest.mark.parametrize("shown", ["+84 28 7300 0401", "842873000401", 842873000401, "(84) 28-7300-0401"])
def test_what_the_business_writes_itself_is_no_lead(shown: Any) -> None:
    own = change(text(**{"from": "842873000401"}), metadata={"display_phone_number": shown, "phone_number_id": NUMBER})
    assert [item.reason for item in read_signals(delivery(own), NOW).ignored] == ["own_message"]


@pytest.mark.parametrize("shown", [None, "", "REDACTED", {}, [842873000401]])
def test_a_number_without_digits_is_nobodys_own(shown: Any) -> None:
    metadata = {"display_phone_number": shown, "phone_number_id": NUMBER}
    assert only_signal(text(**{"from": "REDACTED"}), metadata=metadata).author_id == "REDACTED"


def test_a_name_goes_to_nobody_it_may_not_belong_to() -> None:
    stranger, other = text(**{"from": "84900000999"}), text(**{"from": "84900000888"})
    assert names(text()) == ["Trần Thị Lan"]
    assert names(stranger) == ["Trần Thị Lan"], "one sender and one contact: a number that is written in two ways"
    assert names(stranger, stranger) == ["Trần Thị Lan"] * 2
    assert names(stranger, other) == [None, None]
    assert names(text(), stranger) == ["Trần Thị Lan", None]
    two = [{"profile": {"name": "Một"}, "wa_id": "1"}, {"profile": {"name": "Hai"}, "wa_id": "2"}]
    assert names(stranger, contacts=two) == [None]
    by_user_id = [*two, {"profile": {"name": "Ba"}, "user_id": "VN.3"}]
    assert names(stranger | {"from_user_id": "VN.3"}, contacts=by_user_id) == ["Ba"], "the number is hidden or new, the user is the same"


@pytest.mark.parametrize(
    "contacts", [None, "Lan", 7, {"profile": {"name": "Lan"}}, [], [[]], [{"profile": 7, "wa_id": LAN}], [{"wa_id": {}}]]
)
def test_strange_contacts_cost_only_the_name(contacts: Any) -> None:
    signal = only_signal(text(), contacts=contacts)
    assert (signal.author_id, signal.author_name, signal.content_text) == (LAN, None, "giá sao")


def test_a_message_overheard_and_received_is_one_saying() -> None:
    received, overheard = change(text()), change()
    overheard = {"field": "standby", "value": overheard["value"] | {"messages": None, "standby": {"messages": [text()]}}}
    first, second = read_signals(delivery(received, overheard), NOW).signals
    assert first.external_message_id == second.external_message_id == "wamid.1"
    assert (first.source_subtype, second.source_subtype) == ("text", "standby")
    assert (first.author_id, first.author_name) == (second.author_id, second.author_name)


ITEMS = st.one_of(STRANGE_VALUES, st.sampled_from([text(), text(type="reaction"), {"id": "wamid.2", "status": "read"}, {}]))
LISTS = st.lists(ITEMS, max_size=4) | STRANGE_VALUES
NAMES_OF_LISTS = ("messages", "statuses", "message_echoes", "errors")
HOLDERS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES_OF_LISTS, LISTS) | {"contacts": STRANGE_VALUES})
VALUES = st.builds(
    lambda value, extra: value | extra,
    HOLDERS,
    st.fixed_dictionaries(
        {},
        optional={
            "metadata": st.sampled_from([None, {}, "x", {"phone_number_id": 1}, {"phone_number_id": NUMBER}, {"phone_number_id": []}]),
            "standby": HOLDERS | STRANGE_VALUES,
        },
    ),
)
CHANGES = STRANGE_VALUES | st.fixed_dictionaries(
    {},
    optional={
        "field": st.sampled_from(["messages", "smb_message_echoes", "standby", "history", None, ["messages"], 1]) | TEXTS,
        "value": VALUES | STRANGE_VALUES,
    },
)
ENTRIES = STRANGE_VALUES | st.fixed_dictionaries(
    {"id": STRANGE_VALUES}, optional={"changes": st.lists(CHANGES, max_size=4) | STRANGE_VALUES}
)


@fuzzed
@given(entries=st.lists(ENTRIES, max_size=4))
def test_every_item_is_counted_once_as_a_second_counter_says(entries: list[Any]) -> None:
    body, counted = delivery() | {"entry": entries}, sum(_items_of(entry) for entry in entries)
    assert read_signals(body, NOW).items_received == counted
    assert [limit for limit in range(counted + 2) if holds_more_items_than(body, limit)] == list(range(counted))


def _items_of(entry: Any) -> int:
    """The items of one entry, counted from the words of the contract and not by the reader's own functions."""
    changes = entry.get("changes") if isinstance(entry, dict) else None
    return sum(map(_items_of_change, changes)) if isinstance(changes, list) and changes else 1


def _items_of_change(changed: Any) -> int:
    value = changed.get("value") if isinstance(changed, dict) else None
    if not isinstance(value, dict) or value.get("metadata") in ("x", {"phone_number_id": []}):
        return 1
    holder = value.get("standby") if changed.get("field") == "standby" else value
    if changed.get("field") not in ("messages", "smb_message_echoes", "standby", None) or not isinstance(holder, dict):
        return 1
    lists = [holder[name] for name in NAMES_OF_LISTS if holder.get(name) is not None]
    return max(1, sum(len(items) if isinstance(items, list) else 1 for items in lists))


def test_too_many_items_are_noticed_without_reading_them_all() -> None:
    body = delivery(change(*[text()] * 1_000), change(text()))
    assert holds_more_items_than(body, 1_000)
    assert not holds_more_items_than(body, 1_001)
