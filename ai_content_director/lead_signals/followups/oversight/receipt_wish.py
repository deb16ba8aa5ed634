"""What a receiver tells in a receipt, read strictly."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from lead_signals.followups.oversight.receipt import ReceiptStatus
from lead_signals.tenancy.onboard_tenant import StorableText


def _blank_is_nothing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("one_line", "holds a sign that cannot be printed; write it on one line")
    return text


def _steers_nothing(text: str) -> str:
    if any(_steers(sign) for sign in text):
        raise PydanticCustomError("steers", "holds a control sign, or one that turns the direction of writing; leave it out")
    return text


def _steers(sign: str) -> bool:
    # People's words keep what is harmless in them: line ends, no-break spaces, the joiners of an emoji.
    return sign not in "\n\r\t" and (
        unicodedata.category(sign) in _CONTROLS or unicodedata.bidirectional(sign) in _TURNING or sign in _MARKS
    )


_CONTROLS: Final = {"Cc", "Cs", "Zl", "Zp"}
_TURNING: Final = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_MARKS: Final = "\u061c\u200e\u200f"
_Short = Annotated[StorableText, Field(max_length=200), AfterValidator(_one_line)]
_Long = Annotated[StorableText, Field(max_length=500), AfterValidator(_steers_nothing)]


class ReceiptWish(BaseModel):
    """`reference` is the receiver's own name for what it made of the follow-up, such as the id of a task; `note` is for people."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    status: ReceiptStatus
    reference: Annotated[_Short | None, BeforeValidator(_blank_is_nothing)] = Field(None, examples=["TASK-2041"])
    note: Annotated[_Long | None, BeforeValidator(_blank_is_nothing)] = Field(None, examples=["Đã gọi, hẹn gặp thứ Năm"])
