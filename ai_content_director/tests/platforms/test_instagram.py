"""What payload files cannot show well: the count of items against a second counter, redeliveries, and who is oneself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.platforms.inbound_signal import InboundChange, InboundSignal
from lead_signals.platforms.meta.instagram import INSTAGRAM, read_signals
from tests.platforms.adapter_conformance import NOW, STRANGE_VALUES, TEXTS, fuzzed

ACCOUNT = "17841400000000701"


def comment(field: str = "comments", **value: Any) -> dict[str, Any]:
    told = {"id": "1795", "text": "giá sao", "from": {"id": "5", "username": "khach"}, "media": {"id": "1790"}}
    return {"field": field, "value": told | value}


def delivery(change: dict[str, Any], **entry: Any) -> dict[str, Any]:
    return {"object": "instagram", "entry": [{"id": ACCOUNT, "time": 1_795_260_005, "changes": [change]} | entry]}


def direct(**event: Any) -> dict[str, Any]:
    told = {
        "sender": {"id": "5"},
        "recipient": {"id": ACCOUNT},
        "timestamp": 1_795_260_000_000,
        "message": {"mid": "m_1", "text": "giá sao"},
    }
    return {"object": "instagram", "entry": [{"id": ACCOUNT, "messaging": [told | event]}]}


def only_signal(body: dict[str, Any]) -> InboundSignal:
    reading = read_signals(body, NOW)
    assert (reading.changes, reading.ignored, reading.quarantined) == ((), (), ())
    (signal,) = reading.signals
    return signal


def only_change(body: dict[str, Any]) -> InboundChange:
    (change,) = read_signals(body, NOW).changes
    return change


def test_a_comment_says_the_same_flat_on_the_entry_and_in_a_list() -> None:
    listed = delivery(comment())
    flat = {"object": "instagram", "entry": [{"id": ACCOUNT, "time": 1_795_260_005, **comment()}]}
    assert only_signal(flat) == only_signal(listed)


def test_a_comment_sent_again_is_known_by_its_id_whatever_the_time_of_sending() -> None:
    first, again = only_signal(delivery(comment())), only_signal(delivery(comment(), time=1_795_263_605))
    assert first.external_message_id == again.external_message_id == "1795"


@pytest.mark.parametrize("account_id", [ACCOUNT, int(ACCOUNT)])
@pytest.mark.parametrize("author_id", [ACCOUNT, int(ACCOUNT)])
@pytest.mark.parametrize("field", ["comments", "live_comments"])
def test_the_account_is_itself_as_a_number_and_as_text(field: str, author_id: str | int, account_id: str | int) -> None:
    reading = read_signals(delivery(comment(field, **{"from": {"id": author_id}}), id=account_id), NOW)
    assert (reading.signals, [item.reason for item in reading.ignored]) == ((), ["own_comment"])


@pytest.mark.parametrize("no_mark", [None, "", "0", 0, {}, []])
def test_an_empty_mark_of_oneself_makes_nobody_oneself(no_mark: Any) -> None:
    assert only_signal(delivery(comment(**{"from": {"id": "5", "self_ig_scoped_id": no_mark}}))).author_id == "5"


@pytest.mark.parametrize("flag", [False, None, "false", 0, "0"])
def test_only_a_set_flag_makes_a_message_one_to_oneself(flag: Any) -> None:
    assert only_signal(direct(is_self=flag)).content_text == "giá sao"


def test_an_event_says_the_same_in_messaging_and_as_the_value_of_a_change() -> None:
    event = direct()["entry"][0]["messaging"][0]
    assert only_signal(delivery({"field": "messages", "value": event})) == only_signal(direct())
    removal = {**event, "message": {"mid": "m_1", "is_deleted": True}}
    assert only_change(delivery({"field": "messages", "value": removal})) == only_change(direct(message=removal["message"]))


def test_a_message_taken_back_changes_the_lead_that_the_message_made() -> None:
    removal = only_change(direct(message={"mid": "m_1", "is_deleted": True}))
    assert removal.external_message_id == only_signal(direct()).external_message_id
    assert removal.platform == only_signal(direct()).platform == "instagram"


ITEMS = STRANGE_VALUES | st.sampled_from(
    [comment(), comment("mentions", media_id="1"), {"field": "messages", "value": {}}, direct()["entry"][0]["messaging"][0], {}]
)
ENTRIES = STRANGE_VALUES | st.fixed_dictionaries(
    {"id": st.sampled_from([ACCOUNT, 9, None, {}, "\x00"]) | TEXTS},
    optional={
        "changes": st.lists(ITEMS, max_size=4) | STRANGE_VALUES,
        "messaging": st.lists(ITEMS, max_size=4) | STRANGE_VALUES,
        "standby": st.lists(ITEMS, max_size=4) | STRANGE_VALUES,
        "field": st.sampled_from(["comments", "messages", None]) | STRANGE_VALUES,
        "value": st.just(comment()["value"]) | STRANGE_VALUES,
    },
)


@fuzzed
@given(entries=st.lists(ENTRIES, max_size=4))
def test_every_item_is_counted_once_as_a_second_counter_says(entries: list[Any]) -> None:
    body, counted = {"object": "instagram", "entry": entries}, sum(_items_of(entry) for entry in entries)
    assert read_signals(body, NOW).items_received == counted
    assert [limit for limit in range(counted + 2) if INSTAGRAM.holds_more_items_than(body, limit)] == list(range(counted))


def _items_of(entry: Any) -> int:
    """The items of one entry, counted from the words of the contract and not by the reader's own functions."""
    unreadable_id = isinstance(entry, dict) and (
        isinstance(entry.get("id"), bool | float | list | dict) or "\x00" in str(entry.get("id")) or len(str(entry.get("id")).strip()) > 512
    )
    if not isinstance(entry, dict) or unreadable_id:
        return 1
    lists = [entry[name] for name in ("changes", "messaging", "standby") if entry.get(name) is not None]
    flat = 1 if {"field", "value"} & entry.keys() else 0
    return max(1, flat + sum(len(items) if isinstance(items, list) else 1 for items in lists))
