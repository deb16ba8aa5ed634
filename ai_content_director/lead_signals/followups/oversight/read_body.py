"""A small JSON body read strictly: what is unknown or wrong is told field by field, and no value is quoted."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from lead_signals.json_body import MalformedBody, parse_json_body
from lead_signals.request_body import RefusedRequest

Wish = TypeVar("Wish", bound=BaseModel)

PROBLEMS_TOLD = 5
LONGEST_NAME_TOLD = 60


def read_body(wanted: type[Wish], raw_body: bytes) -> Wish:
    """`raw_body` as that model. Raises RefusedRequest: 400 when it is no JSON object, 422 with a sentence for each problem."""
    try:
        return wanted.model_validate(parse_json_body(raw_body))
    except MalformedBody as malformed:
        raise RefusedRequest(400, malformed.reason.value, malformed.sentence) from None
    except ValidationError as invalid:
        problems = invalid.errors(include_input=False, include_url=False)[:PROBLEMS_TOLD]
        raise RefusedRequest(422, "bad_field", " ".join(_sentence(problem["loc"], problem["msg"]) for problem in problems)) from None


def _sentence(path: tuple[int | str, ...], problem: str) -> str:
    # The name of an unknown field is the sender's own word, and may be as long as the body.
    field = ".".join(str(part) for part in path)[:LONGEST_NAME_TOLD]
    return f"{field}: {problem}." if field else f"{problem}."
