"""A wish read strictly, from a request's JSON or a command's options: a typing error must not become another wish than was meant."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lead_signals.json_body import MalformedBody, parse_json_body
from lead_signals.request_body import RefusedRequest

Wish = TypeVar("Wish", bound=BaseModel)

PROBLEMS_TOLD = 10
LONGEST_NAME_TOLD = 100


def read_json_wish(wanted: type[Wish], raw_body: bytes) -> Wish:
    """The wish in a body. Raises RefusedRequest: 400 when it is no JSON object, 422 with a sentence for each problem."""
    try:
        return read_wish(wanted, parse_json_body(raw_body))
    except MalformedBody as malformed:
        raise RefusedRequest(400, malformed.reason.value, malformed.sentence) from None


def read_wish(wanted: type[Wish], told: Mapping[str, Any]) -> Wish:
    """The wish that was told. Raises RefusedRequest (422) with a sentence for each problem; quotes no value."""
    try:
        return wanted.model_validate(dict(told))
    except ValidationError as invalid:
        problems = invalid.errors(include_input=False, include_url=False)[:PROBLEMS_TOLD]
        raise RefusedRequest(422, "bad_field", " ".join(_sentence(problem["loc"], problem["msg"]) for problem in problems)) from None


def _sentence(path: tuple[int | str, ...], problem: str) -> str:
    # The name of an unknown field is the sender's own word, and may be as long as the body.
    field = ".".join(str(part) for part in path)[:LONGEST_NAME_TOLD]
    return f"{field}: {problem}." if field else f"{problem}."


def told_in_the_body(wanted: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """For OpenAPI: bodies are read by hand, as everywhere, for a typed parameter answers 500 to inputs such as NaN; the schema is told."""
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": wanted.model_json_schema()}}}}
