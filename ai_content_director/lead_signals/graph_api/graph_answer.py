"""From what came over the wire to Graph's answer: one JSON object, or the reason why there is none."""

import re
from collections.abc import Iterable, Mapping

from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure, failure_kind, status_may_pass
from lead_signals.graph_api.retry_after import retry_after_seconds
from lead_signals.json_body import JsonObject, JsonValue, MalformedBody, parse_json_body
from lead_signals.printable import printable

LONGEST_SAID_CHARACTERS = 200
LONGEST_READ_CHARACTERS = 1_000  # of Graph's sentence; patterns are not let loose on a quarter of a megabyte

# Graph quotes tokens it cannot read ("Malformed access token EAAB..."). Taken out: addresses, keys in hexadecimal, and any long word;
# the longest name of a permission has 34 characters.
_NOT_FOR_EYES = re.compile(r"[^\s@]+@\S+|\bEA[0-9A-Za-z]{16,}|\b[0-9A-Fa-f]{32,}\b|[0-9A-Za-z_|%.-]{40,}")


def read_graph_answer(
    http_status: int, headers: Mapping[str, str], body: bytes | None, secrets: Iterable[str]
) -> "JsonObject | GraphFailure":
    """Judge one whole answer. `body` is None when it was too big; `secrets` are taken out of what Graph says about itself.

    The Content-Type is not asked: Graph has answered with JSON under several names, and proxies with pages under all of them.
    """
    try:
        said = None if body is None else parse_json_body(body)
    except MalformedBody:
        said = None
    if said is not None and isinstance(error := said.get("error"), dict):
        return _judge(error, http_status, headers, secrets)
    if said is None or "error" in said or not 200 <= http_status <= 299:
        kind = FailureKind.RETRY if status_may_pass(http_status) else FailureKind.BAD_ANSWER
        wait = retry_after_seconds(headers) if kind is FailureKind.RETRY else None
        return GraphFailure(kind, http_status=http_status, retry_after_seconds=wait)
    return said


def _judge(error: JsonObject, http_status: int, headers: Mapping[str, str], secrets: Iterable[str]) -> GraphFailure:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    kind = failure_kind(code, subcode, http_status, is_transient=error.get("is_transient") is True)
    return GraphFailure(
        kind,
        code=code,
        subcode=subcode,
        http_status=http_status,
        retry_after_seconds=retry_after_seconds(headers) if kind is FailureKind.RETRY else None,
        graph_said=_fit_to_show(error.get("message"), secrets),
    )


def _number(value: JsonValue) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _fit_to_show(message: JsonValue, secrets: Iterable[str]) -> str:
    if not isinstance(message, str):
        return ""
    text = printable(message[:LONGEST_READ_CHARACTERS])
    for secret in secrets:
        text = text.replace(secret, "[...]")
    return _NOT_FOR_EYES.sub("[...]", text)[:LONGEST_SAID_CHARACTERS]
