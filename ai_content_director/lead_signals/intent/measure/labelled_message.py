"""A text beside the label that people gave it: what the engine is measured by."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from lead_signals.intent.bad_line import BadLine
from lead_signals.intent.verdict import IntentLabel

_LABELS = ", ".join(IntentLabel)


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    """`acceptable` are other labels that a reasonable person gives; `has_phone` is None where nobody looked for one."""

    id: str | int
    text: str
    label: IntentLabel
    acceptable: frozenset[IntentLabel] = frozenset()
    has_phone: bool | None = None


def read_labelled_messages(lines: Iterable[bytes]) -> Iterator[LabelledMessage | BadLine]:
    """One message or one BadLine for each JSON line that is not blank, in their order; other fields are passed over.

    A message without an id is named for its line.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _read_line(number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


def _read_line(number: int, line: bytes) -> LabelledMessage | BadLine:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return BadLine(number, f"not JSON ({error.msg} at column {error.colno})")
    if not isinstance(told, dict):
        return BadLine(number, 'needs an object, like {"id": 1, "text": "Cho tôi báo giá", "label": "inquiry_price"}')
    try:
        return LabelledMessage(
            id=_id(told.get("id"), number),
            text=_text(told.get("text")),
            label=_label(told.get("label"), "label"),
            acceptable=_acceptable(told.get("acceptable")),
            has_phone=_has_phone(told.get("has_phone")),
        )
    except ValueError as problem:
        return BadLine(number, str(problem))


def _id(told: Any, number: int) -> str | int:
    if told is None:
        return f"line {number}"
    if isinstance(told, str) or (isinstance(told, int) and not isinstance(told, bool)):
        return told
    raise ValueError('"id" must be a text or a whole number')


def _text(told: Any) -> str:
    if isinstance(told, str):
        return told
    raise ValueError('"text" must be there and be a text')


def _label(told: Any, field: str) -> IntentLabel:
    try:
        return IntentLabel(told)
    except ValueError:
        said = f"{told[:40]!r}" if isinstance(told, str) else "missing" if told is None else "no text"
        raise ValueError(f'"{field}" is {said}; known are {_LABELS}') from None


def _acceptable(told: Any) -> frozenset[IntentLabel]:
    if told is None:
        return frozenset()
    if not isinstance(told, list):
        raise ValueError('"acceptable" must be a list of labels')
    return frozenset(_label(one, "acceptable") for one in told)


def _has_phone(told: Any) -> bool | None:
    if told is None or isinstance(told, bool):
        return told
    raise ValueError('"has_phone" must be true or false')
