"""Which bodies are read, which are refused, and that nothing else happens."""

import time

import orjson
import pytest

from lead_signals.json_body import DEEPEST_NESTING, MalformedBody, MalformedReason, parse_json_body
from tests.platforms.shared_material import shared_path


def nested(levels: int) -> bytes:
    """An object that is `levels` deep, itself included."""
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def refusal(raw: bytes) -> MalformedBody:
    with pytest.raises(MalformedBody) as caught:
        parse_json_body(raw)
    return caught.value


def test_an_object_is_read_with_its_unicode_and_escapes() -> None:
    raw = '{"a":"giá \\u0111\\u1ed3ng \\ud83d\\ude00","b":[1,2.5,true,null]}'.encode()
    assert parse_json_body(raw) == {"a": "giá đồng \U0001f600", "b": [1, 2.5, True, None]}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"\ud83d", "\ufffd"),
        (r"\uDE0A", "\ufffd"),
        (r"giá \uD83D", "giá \ufffd"),
        (r"\ude0a\ud83d", "\ufffd\ufffd"),
        (r"\ud83d\ud83d\ude0a", "\ufffd\U0001f60a"),
        (r"\ud83d\ude0a\ude0a", "\U0001f60a\ufffd"),
        (r"\ud83d\uDE0A \ud83d", "\U0001f60a \ufffd"),
        (r"\ud83d\n\ud83d\u0111", "\ufffd\n\ufffdđ"),
        (r"\ud83d\ud7ff\ue000", "\ufffd\ud7ff\ue000"),
        (r"\ud83d\\ude0a", "\ufffd\\ude0a"),
        (r"\\ud83d \ud83d", "\\ud83d \ufffd"),
        (r"\\\ud83d\\\\ud83d", "\\\ufffd\\\\ud83d"),
        (r"\"\ud83d\"", '"\ufffd"'),
    ],
)
def test_half_of_a_pair_is_read_as_the_replacement_character_and_nothing_else_is_touched(written: str, text: str) -> None:
    assert parse_json_body(f'{{"a":"{written}","{written}":[true]}}'.encode()) == {"a": text, text: [True]}


def test_a_refusal_names_the_place_in_the_body_as_it_came() -> None:
    raw = b'{"a":"\\ud83d","b":NaN}'
    assert f"line 1, column {raw.index(b'NaN') + 1} " in refusal(raw).sentence


def test_nesting_is_limited_beside_half_of_a_pair_too() -> None:
    raw = nested(DEEPEST_NESTING + 1)[:-1] + b',"b":"\\ud83d"}'
    assert refusal(raw).reason is MalformedReason.TOO_DEEP


@pytest.mark.parametrize("piece", [r"\ud83d", r"\ud83d\ud83d\ude0a", r"\ud83d\ude0a", r"\\", r"\n", "\\\\a", r"\u0111a", "a", r"\ud8"])
@pytest.mark.parametrize("end", ["", "\\", r"\ud83d", '"}'])
def test_a_mebibyte_of_escapes_is_mended_or_refused_in_a_moment(piece: str, end: str) -> None:
    raw = b'{"b":"\\ud83d","a":"' + (piece * (1_048_500 // len(piece)) + end).encode()
    started = time.process_time()
    _outcome(raw)
    assert time.process_time() - started < 2.0  # measured 0.1 s; the bound only catches a scan that grows with the square


def test_one_leading_byte_order_mark_is_skipped_and_a_second_refused() -> None:
    assert parse_json_body(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert refusal(b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}').reason is MalformedReason.NOT_JSON
    assert refusal(b"\xef\xbb\xbf").reason is MalformedReason.NOT_JSON


def test_the_last_of_a_repeated_key_counts() -> None:
    assert parse_json_body(b'{"item":"comment","item":"like"}') == {"item": "like"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400}',
        b'{"a":"\\ud83d","b":NaN}',
        b'{"a":"\\ud83d","b":Infinity}',
        b'{"a":"\\ud83d","b":1e400}',
        b'{"a":"\\ud83"}',
        b'{"a":"\\ud83d\\ud"}',
        b'{"a":"\\ud83d\\u"}',
        b'{"a":"\\ud83d\\"}',
        b'{"a":"\\ud83g"}',
        b'{"a":"\\Ud83d"}',
        b'{"a":\\ud83d}',
        b'{"a":"\\ud83d"',
        b'{"a":"\\ud83d"}\\',
        b"{'a':1}",
        b"{}{}",
        b"a=1",
        b"<xml/>",
    ],
)
def test_what_is_not_json_is_refused_with_a_place(raw: bytes) -> None:
    error = refusal(raw)
    assert error.reason is MalformedReason.NOT_JSON
    assert "line 1, column" in error.sentence


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"\xff"}',
        b'{"a":"\\ud83d","b":"\xff"}',
        '{"a":"giá"}'.encode("utf-16"),
        '{"a":"é"}'.encode("latin-1"),
        b'{"a":"\xed\xa0\x80"}',
    ],
)
def test_what_is_not_utf8_is_refused_as_such(raw: bytes) -> None:
    error = refusal(raw)
    assert error.reason is MalformedReason.NOT_UTF8
    assert "UTF-8" in error.sentence


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_only_an_object_may_stand_at_the_top(raw: bytes) -> None:
    assert refusal(raw).reason is MalformedReason.NOT_AN_OBJECT


def test_a_refusal_quotes_nothing_of_the_body() -> None:
    for raw in (b'{"secret-word":', b'["secret-word"]', b'{"secret-word":"\xff"}', b'{"secret-word":' + b"[" * 40 + b"]" * 40 + b"}"):
        assert "secret-word" not in refusal(raw).sentence


def test_nesting_is_read_to_its_limit_and_no_deeper() -> None:
    assert parse_json_body(nested(DEEPEST_NESTING))
    assert refusal(nested(DEEPEST_NESTING + 1)).reason is MalformedReason.TOO_DEEP


@pytest.mark.parametrize(
    ("levels", "reason"), [(1_023, MalformedReason.TOO_DEEP), (1_025, MalformedReason.NOT_JSON), (100_000, MalformedReason.NOT_JSON)]
)
def test_absurd_nesting_is_refused_without_a_stack_overflow(levels: int, reason: MalformedReason) -> None:
    assert refusal(nested(levels)).reason is reason


def test_depth_counts_in_objects_lists_and_in_the_last_of_many_branches() -> None:
    objects = b'{"a":' * 33 + b"1" + b"}" * 33
    assert refusal(objects).reason is MalformedReason.TOO_DEEP
    assert refusal(b'{"x":[' + b"[]," * 1_000 + b"[" * 31 + b"]" * 31 + b"]}").reason is MalformedReason.TOO_DEEP


def test_a_mebibyte_of_empty_objects_is_walked_in_a_moment() -> None:
    raw = b'{"a":[' + b"{}," * 349_000 + b"{}]}"
    started = time.process_time()
    parse_json_body(raw)
    assert time.process_time() - started < 2.0  # measured 0.06 s; the bound only catches a walk that grows with the square


def test_public_json_corpus_is_read_or_refused_and_nothing_else() -> None:
    files = sorted((shared_path("corpora/jsontestsuite") / "test_parsing").glob("*.json"))
    assert len(files) > 300
    wrong: list[str] = []
    for file in files:
        raw = file.read_bytes()
        outcome = _outcome(raw)
        wrapped = _outcome(b'{"message":' + raw + b"}") if not raw.startswith(b"\xef\xbb\xbf") else outcome
        kind = file.name[0]
        if kind == "n" and outcome not in {"not_json", "not_utf8"}:
            wrong.append(f"{file.name}: {outcome}")
        if kind == "y" and (outcome not in {"read", "not_an_object"} or wrapped != "read"):
            wrong.append(f"{file.name}: {outcome}, as a value {wrapped}")
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("i_string_1st_surrogate_but_2nd_missing", "\ufffd"),
        ("i_string_1st_valid_surrogate_2nd_invalid", "\ufffd\u1234"),
        ("i_string_incomplete_surrogate_and_escape_valid", "\ufffd\n"),
        ("i_string_incomplete_surrogate_pair", "\ufffda"),
        ("i_string_incomplete_surrogates_escape_valid", "\ufffd\ufffd\n"),
        ("i_string_invalid_lonely_surrogate", "\ufffd"),
        ("i_string_invalid_surrogate", "\ufffdabc"),
        ("i_string_inverted_surrogates_U+1D11E", "\ufffd\ufffd"),
        ("i_string_lone_second_surrogate", "\ufffd"),
    ],
)
def test_what_the_public_corpus_leaves_to_each_reader_about_lone_halves(name: str, text: str) -> None:
    raw = shared_path(f"corpora/jsontestsuite/test_parsing/{name}.json").read_bytes()
    assert parse_json_body(b'{"message":' + raw + b"}") == {"message": [text]}


def _outcome(raw: bytes) -> str:
    try:
        value = parse_json_body(raw)
    except MalformedBody as error:
        return error.reason.value
    assert orjson.dumps(value)
    return "read"
