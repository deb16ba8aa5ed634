"""A webhook body as JSON we are willing to read: strict UTF-8, one object at the top, not nested too deeply.

The caps on bytes and on Content-Encoding belong to the door and come before this.
"""

import re
from enum import StrEnum
from typing import TypeAlias

import orjson

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

DEEPEST_NESTING = 32
_UTF8_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Escapes are read whole and in their order, for where one begins decides what it is: in \\ud83d the backslash is the escape, and
# of \ud83d\ud83d\ude0a only the first is alone. All that may stay is passed in one run; the group is a half without its other half.
# ++ gives nothing back, so that no body is read twice.
_HIGH_HALF, _LOW_HALF = rb"u[dD][89abAB][0-9a-fA-F]{2}", rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPES = re.compile(
    rb"(?:\\(?:[^u]|u(?![dD][89a-fA-F])|" + _HIGH_HALF + rb"\\" + _LOW_HALF + rb"))++"
    rb"|(\\(?:" + _HIGH_HALF + rb"|" + _LOW_HALF + rb"))",
    re.DOTALL,
)
_REPLACEMENT_CHARACTER = rb"\ufffd"  # as long as what it stands for: a place named in a refusal is that of the body as it came


class MalformedReason(StrEnum):
    """Why a body is refused; a closed set, fit for a metric label."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_DEEP = "too_deep"


class MalformedBody(Exception):
    """The body cannot be read as one JSON object. `sentence` may be shown to the sender: it quotes nothing of the body."""

    def __init__(self, reason: MalformedReason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def parse_json_body(raw: bytes) -> JsonObject:
    """The JSON object in `raw`.

    Stricter than RFC 8259 where readers disagree (NaN, Infinity and numbers beyond a double are refused); of a repeated
    key the last one counts. One leading UTF-8 byte order mark is skipped, as the RFC allows: relays on Windows add it to
    deliveries that are good otherwise. Half of a surrogate pair, escaped as RFC 8259 allows (section 8.2), is read as
    U+FFFD: a text cut in the middle of an emoji must not cost a whole batch.
    Raises MalformedBody, and nothing else.
    """
    body = raw.removeprefix(_UTF8_BYTE_ORDER_MARK)
    try:
        value = _loaded(body)
    except orjson.JSONDecodeError as error:
        raise _refusal(body, error) from None
    if not isinstance(value, dict):
        raise MalformedBody(MalformedReason.NOT_AN_OBJECT, "The body is JSON but not an object; send one JSON object, like {...}.")
    if _is_nested_deeper_than(DEEPEST_NESTING, value):
        raise MalformedBody(MalformedReason.TOO_DEEP, f"The body is nested deeper than {DEEPEST_NESTING} levels; send it flatter.")
    return value


def _loaded(body: bytes) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError:
        if b"\\ud" not in body and b"\\uD" not in body:
            raise
        value = orjson.loads(_with_lone_halves_replaced(body))
    return value


def _with_lone_halves_replaced(body: bytes) -> bytes:
    return _ESCAPES.sub(lambda found: found[0] if found[1] is None else _REPLACEMENT_CHARACTER, body)


def _refusal(body: bytes, error: orjson.JSONDecodeError) -> MalformedBody:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as bad:
        return MalformedBody(MalformedReason.NOT_UTF8, f"The body is not UTF-8: byte {bad.start} cannot be read. Send JSON as UTF-8.")
    return MalformedBody(MalformedReason.NOT_JSON, f"The body is not JSON: line {error.lineno}, column {error.colno} cannot be read.")


def _is_nested_deeper_than(limit: int, value: JsonValue) -> bool:
    # Level by level, never recursive: the parser lets 1,023 levels through, and repr or an encoder would then blow the stack.
    level: list[JsonValue] = [value]
    for _ in range(limit):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container if isinstance(container, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
