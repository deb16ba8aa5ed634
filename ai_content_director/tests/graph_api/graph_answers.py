"""How Graph answers, well or ill: each is an answer for `GraphStandIn.answers`. More ways to be ill are in `tests.receiver_answers`.

Shapes follow Meta's documentation; names, ids and sentences are invented.
"""

import json
from typing import Any

from tests.receiver import Answer, Exchange

JSON_TYPE = "application/json; charset=UTF-8"
TEN_MEGABYTES = 10 * 1024 * 1024
CALM_USAGE = 'x-app-usage: {"call_count":3,"total_cputime":1,"total_time":2}'


def says(said: Any, status: int = 200, *headers: str, content_type: str = JSON_TYPE) -> Answer:
    """A whole answer holding `said` as JSON; `headers` are lines like "retry-after: 5"."""
    return says_bytes(json.dumps(said).encode(), status, *headers, content_type=content_type)


def says_bytes(body: bytes, status: int = 200, *headers: str, content_type: str = JSON_TYPE) -> Answer:
    """A whole answer with these bytes."""

    def answer(exchange: Exchange) -> None:
        lines = [f"HTTP/1.1 {status} Because", f"content-type: {content_type}", f"content-length: {len(body)}", *headers]
        exchange.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


def graph_error(code: int, subcode: int | None = None, *headers: str, status: int = 400, message: str = "Not today", **more: Any) -> Answer:
    """Graph's envelope for an error; `more` are further keys of it, such as is_transient=True."""
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AInventedTrace00", **more}
    return says({"error": error if subcode is None else {**error, "error_subcode": subcode}}, status, *headers)


def dead_token(subcode: int | None = 463) -> Answer:
    """190: the token is expired (463), the password changed (460), the app removed (458), a checkpoint (459), invalid (467)."""
    return graph_error(190, subcode, status=401, message="Error validating access token: Session has expired.")


def missing_permission(code: int = 200) -> Answer:
    """10 or one of 200-299."""
    return graph_error(code, status=403, message=f"(#{code}) Requires pages_manage_metadata permission to manage the object")


def throttled(code: int = 32, *headers: str, regain_minutes: int | None = None) -> Answer:
    """One of the throttling codes; with `regain_minutes`, the business header names the wait."""
    if regain_minutes is not None:
        headers = (*headers, f"x-business-use-case-usage: {business_usage(100, regain_minutes)}")
    return graph_error(code, None, *headers, message=f"(#{code}) Request limit reached")


def business_usage(percent: float, regain_minutes: float = 0) -> str:
    """The value of X-Business-Use-Case-Usage for one invented Page."""
    counted = {
        "type": "pages",
        "call_count": percent,
        "total_cputime": 5,
        "total_time": 7,
        "estimated_time_to_regain_access": regain_minutes,
    }
    return json.dumps({"700000000000001": [counted]})


def ill(status: int = 500) -> Answer:
    """A bare 5xx, as a load balancer gives it."""
    return says_bytes(b"<html><body>Sorry, something went wrong.</body></html>", status, content_type="text/html")


def html_page(status: int = 200) -> Answer:
    """A page for people where JSON was due: a proxy's sign-in, say."""
    return says_bytes(b"<!DOCTYPE html><title>Sign in to continue</title>", status, content_type="text/html; charset=utf-8")


def redirects_to(url: str, status: int = 302) -> Answer:
    """Sends the caller elsewhere, the token with them if they go."""
    return says_bytes(b"", status, f"location: {url}")


def deep_json(levels: int) -> Answer:
    """An object nested this deep."""
    return says_bytes(b'{"data":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}")


def talks_at_length(exchange: Exchange) -> None:
    """10 MB of sound JSON, as far as somebody listens."""
    exchange.keep_connection = False
    head, tail = b'{"id":"700000000000001","name":"', b'"}'
    exchange.send(f"HTTP/1.1 200 OK\r\ncontent-type: {JSON_TYPE}\r\ncontent-length: {TEN_MEGABYTES}\r\n\r\n".encode() + head)
    chunk = b"x" * 65536
    left = TEN_MEGABYTES - len(head) - len(tail)
    while left > 0:
        exchange.send(chunk[:left])
        left -= len(chunk[:left])
    exchange.send(tail)


def resets_mid_body(exchange: Exchange) -> None:
    """Says 200, sends half of a good answer, and ends the connection by RST."""
    exchange.send(b'HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{"id":"700000000000001",')
    exchange.reset()


def breaks_off_mid_body(exchange: Exchange) -> None:
    """The same, but closes politely: only the announced length tells that something is missing."""
    exchange.send(b'HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{"id":"700000000000001"}')
    exchange.keep_connection = False


def trickles(said: Any) -> Answer:
    """A good answer at one byte a second, headers first."""

    def answer(exchange: Exchange) -> None:
        body = json.dumps(said).encode()
        exchange.send(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        exchange.keep_connection = False
        for byte in body:
            if exchange.closing.wait(1.0):
                return
            exchange.send(bytes([byte]))

    return answer
