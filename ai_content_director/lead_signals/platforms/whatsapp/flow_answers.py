"""What somebody filled into a Flow, WhatsApp's form inside a conversation. It arrives as JSON inside a text, and is read as hostile."""

import orjson

from lead_signals.json_body import JsonObject, JsonValue, MalformedBody, parse_json_body
from lead_signals.platforms.spoken_text import detail

_MOST_ANSWERS = 100
_MOST_VALUES = 20
_NO_ANSWER = frozenset({"flow_token"})  # names the sending of the form, for who sent it; nobody filled it in


def flow_answers(response_json: JsonValue) -> dict[str, JsonValue]:
    """The answers for `meta`, as a lead form's: `field_data` of `{"name", "values"}`, or `answers_note` why they cannot be read.

    Raises nothing. At most 100 answers of 20 values of 1,024 characters; what is no plain value stays JSON.
    """
    if response_json is None:
        return {}
    if isinstance(response_json, dict):  # a relay has read it already
        return _told(response_json)
    if not isinstance(response_json, str):
        return {"answers_note": "not_text"}
    try:
        return _told(parse_json_body(response_json.encode("utf-8", "replace")))
    except MalformedBody as malformed:
        return {"answers_note": malformed.reason.value}


def _told(answers: JsonObject) -> dict[str, JsonValue]:
    told: list[JsonValue] = [
        {"name": shown, "values": _values(answer)}
        for name, answer in list(answers.items())[:_MOST_ANSWERS]
        if name not in _NO_ANSWER and (shown := detail(name))
    ]
    return {"field_data": told} if told else {}


def _values(answer: JsonValue) -> list[JsonValue]:
    answers = answer[:_MOST_VALUES] if isinstance(answer, list) else [answer]
    return [text for value in answers if (text := detail(_as_text(value)))]


def _as_text(value: JsonValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
