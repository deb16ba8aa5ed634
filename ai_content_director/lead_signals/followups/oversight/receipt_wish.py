"""What a receiver tells in a receipt, read strictly."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lead_signals.followups.oversight.receipt import ReceiptStatus
from lead_signals.tenancy.onboard_tenant import StorableText


def _blank_is_nothing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


_Short = Annotated[StorableText, Field(max_length=200)]
_Long = Annotated[StorableText, Field(max_length=500)]


class ReceiptWish(BaseModel):
    """`reference` is the receiver's own name for what it made of the follow-up, such as the id of a task; `note` is for people."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    status: ReceiptStatus
    reference: Annotated[_Short | None, BeforeValidator(_blank_is_nothing)] = Field(None, examples=["TASK-2041"])
    note: Annotated[_Long | None, BeforeValidator(_blank_is_nothing)] = Field(None, examples=["Đã gọi, hẹn gặp thứ Năm"])
