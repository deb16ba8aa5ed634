"""An opinion: one of the ten labels, and how sure the model says it is. Whatever else comes back is none."""

import math
from dataclasses import dataclass
from typing import Final

from lead_signals.intent.lane import STORED_DECIMALS
from lead_signals.intent.verdict import IntentLabel
from lead_signals.json_body import JsonObject, JsonValue, MalformedBody, parse_json_body

_LABELS: Final = {label.value: label for label in IntentLabel}
# How a server says that the model was stopped before it had finished, or did something else than answer.
_NOT_FINISHED: Final = frozenset({"length", "content_filter", "tool_calls", "function_call"})
_MOST_TOKENS: Final = 10_000_000  # a server's count is a stranger's word too: it is added up in a column


@dataclass(frozen=True, slots=True)
class Opinion:
    """`confidence_score` is 0..1 with the decimals that are stored."""

    intent_label: IntentLabel
    confidence_score: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call cost, as the server counts it; 0 when it does not say."""

    input: int = 0
    output: int = 0


def read_opinion(answer: bytes) -> tuple[Opinion | None, Tokens]:
    """The opinion in a whole HTTP answer of chat completions, and its cost. None: it holds none, or more than one, or a strange one.

    Nothing but a label of ours and a number ever comes out. Raises nothing.
    """
    try:
        said = parse_json_body(answer)
    except MalformedBody:
        return None, Tokens()
    content = _content(said)
    return (None if content is None else _opinion(content)), _tokens(said.get("usage"))


def _content(said: JsonObject) -> str | None:
    choices = said.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return None
    if choice.get("finish_reason") in _NOT_FINISHED or message.get("refusal") or message.get("tool_calls"):
        return None
    content = message.get("content")
    return content if isinstance(content, str) else None


def _opinion(content: str) -> Opinion | None:
    try:
        said = parse_json_body(content.encode("utf-8", "replace"))
    except MalformedBody:
        return None
    label, confidence = said.get("intent_label"), said.get("confidence")
    if set(said) != {"intent_label", "confidence"} or not isinstance(label, str) or label not in _LABELS:
        return None
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not math.isfinite(confidence) or not 0 <= confidence <= 1:
        return None
    return Opinion(_LABELS[label], round(float(confidence), STORED_DECIMALS))


def _tokens(usage: JsonValue) -> Tokens:
    counts = usage if isinstance(usage, dict) else {}
    return Tokens(_count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens")))


def _count(value: JsonValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS else 0
