"""What payload files cannot show well: lengths, the count of items against a second counter, and a reader at fault."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.json_body import JsonValue
from lead_signals.platforms.inbound_signal import ChangeKind, InboundChange, InboundSignal, QuarantinedItem, Reading
from lead_signals.platforms.meta.page import FACEBOOK_PAGE, read_signals
from lead_signals.platforms.read_one_item import ItemPlace, read_one_item
from tests.platforms.adapter_conformance import NOW, STRANGE_VALUES, TEXTS, fuzzed


def comment(**value: Any) -> dict[str, Any]:
    told = {
        "item": "comment",
        "verb": "add",
        "comment_id": "1_2",
        "post_id": "9_1",
        "parent_id": "9_1",
        "from": {"id": "5"},
        "message": "giá sao",
    }
    return {"object": "page", "entry": [{"id": "9", "changes": [{"field": "feed", "value": told | value}]}]}


def message(**event: Any) -> dict[str, Any]:
    told = {"sender": {"id": "5"}, "recipient": {"id": "9"}, "timestamp": 1_795_260_000_000, "message": {"mid": "m_1", "text": "giá sao"}}
    return {"object": "page", "entry": [{"id": "9", "messaging": [told | event]}]}


def only_signal(body: dict[str, Any]) -> InboundSignal:
    reading = read_signals(body, NOW)
    assert (reading.ignored, reading.quarantined) == ((), ())
    (signal,) = reading.signals
    return signal


def only_change(body: dict[str, Any]) -> InboundChange:
    reading = read_signals(body, NOW)
    assert (reading.signals, reading.ignored, reading.quarantined) == ((), (), ())
    (change,) = reading.changes
    return change


def sent_at(seconds: int, body: dict[str, Any]) -> dict[str, Any]:
    body["entry"][0]["time"] = seconds
    return body


def test_a_long_text_is_cut_at_65536_characters_and_says_so() -> None:
    whole, cut = only_signal(comment(message="ả" * 65_536)), only_signal(comment(message="ả" * 65_537))
    assert (len(whole.content_text), dict(whole.meta)) == (65_536, {})
    assert (len(cut.content_text), dict(cut.meta)) == (65_536, {"truncated": True})
    assert only_signal(message(message={"mid": "m", "text": "x" * 70_000})).meta == {"truncated": True}


def test_a_long_name_is_cut_and_a_name_that_is_no_text_costs_only_the_name() -> None:
    assert only_signal(comment(**{"from": {"id": "5", "name": "N" * 600}})).author_name == "N" * 512
    for odd in (7, ["Lan"], {"first": "Lan"}, "   ", None):
        assert only_signal(comment(**{"from": {"id": "5", "name": odd}})).author_name is None


def test_an_id_may_be_512_characters_long() -> None:
    assert only_signal(comment(comment_id="9" * 512)).external_message_id == "9" * 512
    assert [item.reason for item in read_signals(comment(comment_id="9" * 513), NOW).quarantined] == ["id_too_long"]


def test_an_id_beyond_what_json_numbers_hold_is_not_guessed() -> None:
    assert only_signal(comment(comment_id=2**63)).external_message_id == "9223372036854775808"
    assert [item.reason for item in read_signals(comment(comment_id=1.8446744073709552e19), NOW).quarantined] == ["id_not_text_or_integer"]


def test_notes_from_a_sender_stay_short() -> None:
    many = [{"type": "image", "payload": {"url": f"https://cdn.example.net/{n}", "title": "T" * 5_000}} for n in range(400)]
    signal = only_signal(message(message={"mid": "m", "attachments": many, "quick_reply": {"payload": "P" * 5_000}, "text": "x"}))
    attachments = signal.meta["attachments"]
    assert isinstance(attachments, list)
    assert len(attachments) == 50
    assert attachments[0] == {"type": "image", "url": "https://cdn.example.net/0", "title": "T" * 1_024}
    assert signal.meta["quick_reply_payload"] == "P" * 1_024


def test_a_time_may_lie_one_day_ahead_and_no_more() -> None:
    tomorrow = NOW + timedelta(days=1)
    assert only_signal(comment(created_time=int(tomorrow.timestamp()))).said_at == tomorrow
    late = only_signal(comment(created_time=int(tomorrow.timestamp()) + 1))
    assert (late.said_at, late.meta["said_at_note"]) == (None, "out_of_range")


def test_a_tap_without_a_mid_is_known_by_who_tapped_what_and_when() -> None:
    def tap(**event: Any) -> str | None:
        return only_signal(message(message=None, postback={"title": "Báo giá", "payload": "QUOTE"}, **event)).external_message_id

    assert tap() == tap()
    assert len({tap(), tap(timestamp=1_795_260_000_001), tap(sender={"id": "6"})}) == 3
    assert tap() != only_signal(message(message=None, postback={"title": "Gọi lại", "payload": "QUOTE"})).external_message_id
    assert tap(timestamp=None) is None


def test_a_tap_and_a_message_of_the_same_mid_are_two_sayings() -> None:
    tap = only_signal(message(message=None, postback={"mid": "m_1", "title": "Báo giá"}))
    assert (only_signal(message()).external_message_id, tap.external_message_id, tap.meta["mid"]) == ("m_1", "postback:m_1", "m_1")


@pytest.mark.parametrize(
    ("parent_id", "post_id", "is_reply"),
    [("9_1", "9_1", False), ("9_1", "8_1", False), ("1_7", "9_1", True), ("9_1", None, False), ("1_7", None, True), (None, "9_1", False)],
)
def test_a_reply_is_told_from_a_comment_on_the_post(parent_id: str | None, post_id: str | None, is_reply: bool) -> None:
    signal = only_signal(comment(parent_id=parent_id, post_id=post_id))
    assert signal.source_subtype == ("reply" if is_reply else "comment")
    assert signal.external_thread_id == (parent_id if is_reply else "1_2")


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        ("edited", ChangeKind.EDITED),
        ("edit", ChangeKind.EDITED),
        ("update", ChangeKind.EDITED),
        ("remove", ChangeKind.REMOVED),
        ("delete", ChangeKind.REMOVED),
        ("hide", ChangeKind.HIDDEN),
        ("unhide", ChangeKind.SHOWN),
    ],
)
def test_each_verb_says_what_happened(verb: str, kind: ChangeKind) -> None:
    assert only_change(comment(verb=verb)).kind is kind


def test_an_edit_sent_again_is_the_same_change() -> None:
    edit = comment(verb="edited", created_time=1_795_259_400)
    first, again = only_change(sent_at(1_795_260_005, edit)), only_change(sent_at(1_795_263_605, edit))
    assert first == again
    assert first.changed_at == datetime(2026, 11, 21, 11, 10, tzinfo=UTC)


def test_hiding_and_showing_again_have_an_order_although_both_carry_the_time_of_the_comment() -> None:
    hidden = only_change(sent_at(1_795_260_005, comment(verb="hide", created_time=1_795_256_400)))
    shown = only_change(sent_at(1_795_260_065, comment(verb="unhide", created_time=1_795_256_400)))
    assert hidden.changed_at is not None
    assert shown.changed_at == hidden.changed_at + timedelta(minutes=1)


def test_a_comment_that_the_page_takes_away_is_gone_whoever_did_it() -> None:
    by_page = {"from": {"id": "9"}}
    assert only_change(comment(verb="hide", **by_page)).kind is ChangeKind.HIDDEN
    assert only_change(comment(verb="remove", **by_page)).kind is ChangeKind.REMOVED
    assert [item.reason for item in read_signals(comment(verb="edited", **by_page), NOW).ignored] == ["own_comment"]


def test_a_long_edit_is_cut_like_a_long_comment() -> None:
    assert only_change(comment(verb="edited", message="ả" * 70_000)).content_text == "ả" * 65_536
    assert only_change(message(message=None, message_edit={"mid": "m", "text": "ả" * 70_000})).content_text == "ả" * 65_536


@pytest.mark.parametrize(
    ("num_edit", "sequence"),
    [(1, 1), ("37", 37), (999_999, 999_999), (1_000_000, 0), (-1, 0), (True, 0), (2.0, 0), ("²", 0), ("9" * 5_000, 0), (None, 0), ([1], 0)],
)
def test_edits_are_counted_by_a_number_that_is_a_count(num_edit: Any, sequence: int) -> None:
    assert only_change(message(message=None, message_edit={"mid": "m_1", "text": "x", "num_edit": num_edit})).sequence == sequence


def test_a_message_taken_back_stays_so_however_often_it_was_edited_and_whatever_the_clock_says() -> None:
    edited = only_change(message(message=None, message_edit={"mid": "m_1", "text": "x", "num_edit": 999_999}))
    removed = only_change(message(message={"mid": "m_1", "is_deleted": True}, timestamp=1_795_250_000_000))
    assert removed.external_message_id == edited.external_message_id
    assert removed.sequence > edited.sequence


def test_a_change_goes_where_its_message_went_when_the_entry_has_no_id() -> None:
    said, edit = message(), message(message=None, message_edit={"mid": "m_1", "text": "x", "num_edit": 1})
    for body in (said, edit):
        del body["entry"][0]["id"]
    assert only_signal(said).channel_external_id == only_change(edit).channel_external_id == "9"


ITEMS = st.one_of(
    STRANGE_VALUES,
    st.sampled_from(
        [comment()["entry"][0]["changes"][0], message()["entry"][0]["messaging"][0], {"field": "leadgen", "value": {"leadgen_id": 1}}, {}]
    ),
)
ENTRIES = STRANGE_VALUES | st.fixed_dictionaries(
    {"id": st.sampled_from(["9", 9, None, {}, "\x00"]) | TEXTS},
    optional={
        "changes": st.lists(ITEMS, max_size=4) | STRANGE_VALUES,
        "messaging": st.lists(ITEMS, max_size=4) | STRANGE_VALUES,
        "standby": st.lists(ITEMS, max_size=4) | STRANGE_VALUES,
        "message": STRANGE_VALUES,
        "comment_id": STRANGE_VALUES,
    },
)


@fuzzed
@given(entries=st.lists(ENTRIES, max_size=4))
def test_every_item_is_counted_once_as_a_second_counter_says(entries: list[Any]) -> None:
    body, counted = {"object": "page", "entry": entries}, sum(_items_of(entry) for entry in entries)
    assert read_signals(body, NOW).items_received == counted
    assert [limit for limit in range(counted + 2) if FACEBOOK_PAGE.holds_more_items_than(body, limit)] == list(range(counted))


def _items_of(entry: Any) -> int:
    """The items of one entry, counted from the words of the contract and not by the reader's own functions."""
    unreadable_id = isinstance(entry, dict) and (
        isinstance(entry.get("id"), bool | float | list | dict) or "\x00" in str(entry.get("id")) or len(str(entry.get("id")).strip()) > 512
    )
    if not isinstance(entry, dict) or unreadable_id:
        return 1
    lists = [entry[name] for name in ("changes", "messaging", "standby") if entry.get(name) is not None]
    mocks = 1 if {"message", "comment_id", "sender_id", "sender_name", "post_id"} & entry.keys() else 0
    return max(1, mocks + sum(len(items) if isinstance(items, list) else 1 for items in lists))


def test_a_reader_at_fault_costs_one_item_and_names_the_line() -> None:
    def faulty(item: JsonValue, place: ItemPlace) -> InboundSignal:
        raise KeyError("words of a customer")

    outcome = read_one_item(faulty, {"a": 1}, ItemPlace("facebook", "9", "entry[0].changes[3]", NOW))
    assert isinstance(outcome, QuarantinedItem)
    assert (outcome.reason, outcome.item, outcome.channel_external_id) == ("reader_failed", {"a": 1}, "9")
    assert outcome.where.startswith("entry[0].changes[3] (KeyError at test_facebook_page.py:")
    assert "customer" not in outcome.where


def test_a_reading_is_parted_by_channel() -> None:
    both = comment()["entry"] + [entry | {"id": "8"} for entry in comment()["entry"]] + ["?"]
    reading = read_signals({"object": "page", "entry": both}, NOW)
    assert reading.channels == ("9", "8", None)
    assert [len(reading.for_channels([channel]).signals) for channel in reading.channels] == [1, 1, 0]
    assert reading.for_channels([None]).quarantined == reading.quarantined
    assert reading.for_channels(["7"]) == Reading((), (), ())


def test_a_placeholder_recipient_is_no_other_page() -> None:
    assert only_signal(message(recipient={"id": "PAGE_ID"})).channel_external_id == "9"
    assert [item.reason for item in read_signals(message(recipient={"id": "8"}), NOW).quarantined] == ["recipient_is_another_page"]


def test_a_picture_is_dropped_only_as_the_twin_of_a_sticker_with_its_address() -> None:
    without_address = [{"type": "sticker", "payload": {"sticker_id": 3}}, {"type": "image", "payload": {}}]
    kinds = [part["type"] for part in only_signal(message(message={"mid": "m", "attachments": without_address})).meta["attachments"]]
    assert kinds == ["sticker", "image"]
