"""The refusals of a route as its OpenAPI description tells them."""

from typing import Any

from pydantic import BaseModel

_WORDS = {
    400: "The body is no JSON object.",
    401: "Nothing proves who sends it.",
    403: "A page of another site sends it.",
    404: "There is no such thing, or it is another tenant's.",
    409: "As things stand it cannot be done; the sentence says why.",
    413: "The body is too large.",
    422: "A parameter or a field is wrong; each is named.",
    503: "It cannot be done at this moment; send it again later.",
}


class Refusal(BaseModel):
    """What every refusal looks like: `error` is one sentence for a person, with what to do."""

    ok: bool = False
    error: str


def refusals_told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses` of a route. Every operator's route may be refused without a key, and for a wrong parameter."""
    return {status: {"model": Refusal, "description": _WORDS[status]} for status in statuses}
