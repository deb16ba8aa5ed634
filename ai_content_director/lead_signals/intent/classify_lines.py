"""Classify a stream of JSON lines: one `{"id", "text"}` in, one verdict out, in the same order."""

from collections.abc import Iterable, Iterator

import orjson

from lead_signals.intent.bad_line import BadLine
from lead_signals.intent.classify import classify
from lead_signals.intent.verdict import Verdict


def classify_lines(lines: Iterable[bytes]) -> Iterator[bytes | BadLine]:
    """One JSON answer (bytes, no newline) or one BadLine for each line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _classify_line(number, line)


def _classify_line(number: int, line: bytes) -> bytes | BadLine:
    try:
        asked = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return BadLine(number, f"not JSON ({error.msg} at column {error.colno})")
    if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
        return BadLine(number, 'needs an object with a "text", like {"id": 1, "text": "Cho tôi báo giá"}')
    return _answer(asked.get("id"), classify(asked["text"]))


def _answer(asked_id: object, verdict: Verdict) -> bytes:
    return orjson.dumps(
        {
            "id": asked_id,
            "intent_label": verdict.intent_label.value,
            "priority": verdict.priority.value,
            "confidence_score": verdict.confidence_score,
            "status": verdict.status,
            "evidence": [
                {
                    "rule": seen.rule,
                    "matched": seen.matched,
                    "start": seen.start,
                    "end": seen.end,
                    "intent_label": seen.intent_label.value,
                    "weight": seen.weight,
                }
                for seen in verdict.evidence
            ],
            "phones": list(verdict.phones),
            "emails": list(verdict.emails),
        }
    )
