"""What payload files of TikTok cannot show well: the JSON inside the JSON, ids beyond 2^53, and one saying told twice."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.json_body import parse_json_body
from lead_signals.platforms.inbound_signal import ChangeKind, InboundChange, InboundSignal
from lead_signals.platforms.tiktok.business_account import holds_more_items_than, read_signals
from tests.platforms.adapter_conformance import NOW, PAYLOADS, STRANGE_VALUES, TEXTS, fuzzed
from tests.platforms.test_tiktok_conformance import TestTikTokBusinessAccount as Conformance

ACCOUNT, HOA = "biz_mau_0001", "khach_mau_0021"
MESSAGE = {"type": "text", "text": {"body": "giá sao"}, "message_id": "t_1", "conversation_id": "c_1", "from_user": {"id": HOA}}
COMMENT = {"comment_action": "insert", "comment_id": 7012345678901234567, "video_id": 7012345678901234999, "unique_identifier": HOA}


def event(name: str, content: Any, **more: Any) -> dict[str, Any]:
    inner = content if isinstance(content, str) else json.dumps(content)
    return {"client_key": "a", "event": name, "create_time": 1795260001, "user_openid": ACCOUNT, "content": inner} | more


def only_signal(name: str, content: Any, **more: Any) -> InboundSignal:
    reading = read_signals(event(name, content, **more), NOW)
    assert (reading.changes, reading.ignored, reading.quarantined) == ((), (), ())
    (signal,) = reading.signals
    return signal


def only_change(content: Any, **more: Any) -> InboundChange:
    (change,) = read_signals(event("comment.update", content, **more), NOW).changes
    return change


def reason(name: str, content: Any, **more: Any) -> str:
    reading = read_signals(event(name, content, **more), NOW)
    (item,) = (*reading.ignored, *reading.quarantined)
    return item.reason


@pytest.mark.parametrize("body", [{}, event("im_receive_msg", MESSAGE), {"event": 5}, {"user_openid": []}, {"entry": [{}, {}]}])
def test_every_body_is_one_item(body: dict[str, Any]) -> None:
    assert read_signals(body, NOW).items_received == 1
    assert [holds_more_items_than(body, limit) for limit in (0, 1, 1000)] == [True, False, False]


READABLE = [
    path
    for path in sorted((PAYLOADS / "tiktok").glob("*.json"))
    if not path.name.endswith(".expected.json") and not path.name.startswith(("content_", "event_"))
]


@fuzzed
@given(data=st.data())
def test_a_content_with_one_value_replaced_is_read_without_an_error(data: st.DataObject) -> None:
    body = parse_json_body(data.draw(st.sampled_from(READABLE)).read_bytes())
    content = body["content"]
    inner: dict[str, Any] = json.loads(content) if isinstance(content, str) else dict(content)  # type: ignore[arg-type]
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(STRANGE_VALUES)
    Conformance().check(read_signals(body | {"content": json.dumps(inner)}, NOW))


@fuzzed
@given(data=st.data())
def test_what_stands_beside_under_other_names_changes_nothing(data: st.DataObject) -> None:
    body = parse_json_body(data.draw(st.sampled_from(READABLE)).read_bytes())
    strangers = data.draw(st.dictionaries(TEXTS.map(lambda name: f"x_{name}"), STRANGE_VALUES, max_size=3))
    content = body["content"]
    inner = json.loads(content) if isinstance(content, str) else content
    before, after = read_signals(body, NOW), read_signals(body | strangers | {"content": json.dumps(inner | strangers)}, NOW)
    assert (after.signals, after.changes, after.ignored) == (before.signals, before.changes, before.ignored)
    assert [(item.reason, item.where) for item in after.quarantined] == [(item.reason, item.where) for item in before.quarantined]


@pytest.mark.parametrize(
    "content",
    [
        "",
        " ",
        "null",
        '"x"',
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": 1} {"b": 2}',
        '{"a":' * 33 + "1" + "}" * 33,
        "[" * 100_000,
        '{"a": "\\ud800", "b": NaN}',
    ],
    ids=lambda content: repr(content[:12]),
)
def test_a_content_that_is_no_strict_json_object_is_quarantined(content: str) -> None:
    assert reason("im_receive_msg", content) == "content_not_json"


def test_the_content_may_be_escaped_or_not() -> None:
    words = {"text": {"body": "Còn hàng không 😊"}}
    escaped, plain = json.dumps(MESSAGE | words), json.dumps(MESSAGE | words, ensure_ascii=False)
    assert escaped != plain
    assert only_signal("im_receive_msg", escaped) == only_signal("im_receive_msg", plain)


@pytest.mark.parametrize(
    ("written", "kept"), [(2**53 + 1, "9007199254740993"), (2**63, "9223372036854775808"), (2**64 - 1, "18446744073709551615")]
)
def test_ids_as_bare_numbers_keep_every_digit(written: int, kept: str) -> None:
    signal = only_signal("comment.update", COMMENT | {"comment_id": written, "video_id": written, "parent_comment_id": written})
    assert (signal.external_message_id, signal.external_post_id, signal.external_thread_id) == (kept, kept, kept)
    assert only_change(COMMENT | {"comment_action": "delete", "comment_id": written}).external_message_id == kept


def test_an_id_whose_end_a_float_has_cut_is_not_guessed() -> None:
    assert reason("comment.update", COMMENT | {"comment_id": 2**64}) == "id_not_text_or_integer"
    assert reason("comment.update", COMMENT | {"comment_action": "delete", "comment_id": 2**64}) == "id_not_text_or_integer"
    assert reason("im_receive_msg", MESSAGE | {"from_user": {"id": 2**64}}) == "id_not_text_or_integer"
    assert only_signal("comment.update", COMMENT | {"video_id": 2**64}).external_post_id is None  # adorns the comment, and costs no lead


def test_a_comment_told_by_two_events_is_one_saying() -> None:
    update = only_signal("comment.update", COMMENT)
    high_intent = only_signal("im_receive_high_intent_comment", {"comment_id": "7012345678901234567", "comment_text": "mua 1 cái"})
    assert update.external_message_id == high_intent.external_message_id
    assert (update.content_text, high_intent.content_text) == ("", "mua 1 cái")


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("delete", ChangeKind.REMOVED),
        ("set_to_hidden", ChangeKind.HIDDEN),
        ("set_to_public", ChangeKind.SHOWN),
        ("set_to_friends_only", ChangeKind.SHOWN),
    ],
)
def test_a_change_names_the_comment_and_the_same_time_in_every_redelivery(action: str, kind: ChangeKind) -> None:
    told = COMMENT | {"comment_action": action, "timestamp": 1795260000}
    change = only_change(told)
    assert (change.kind, change.external_message_id, change.content_text) == (kind, "7012345678901234567", None)
    assert change == only_change(told, create_time=1795263600)
    assert change != only_change(told | {"timestamp": 1795260001})


def test_a_comment_of_nobody_known_with_words_and_no_id_is_kept() -> None:
    signal = only_signal("comment.update", {"comment_action": "insert", "text": "giá sao"})
    assert (signal.external_message_id, signal.author_id, signal.content_text) == (None, None, "giá sao")


def test_a_delivery_without_an_account_has_no_channel() -> None:
    assert read_signals(event("im_receive_msg", MESSAGE, user_openid=None), NOW).channels == (None,)
    assert read_signals(event("im_receive_msg", MESSAGE, user_openid=7012345678901234567), NOW).channels == ("7012345678901234567",)


def test_a_long_text_is_cut_at_65536_characters_and_says_so() -> None:
    signal = only_signal("im_receive_msg", MESSAGE | {"text": {"body": "ả" * 70_000}})
    assert (len(signal.content_text), signal.meta["truncated"]) == (65_536, True)
