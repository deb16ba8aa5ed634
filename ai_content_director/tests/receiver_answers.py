"""How receivers answer when they are not well: each is a script line for `Receiver.script`."""

import threading

from tests.receiver import Answer, Exchange, ok

GIGABYTE = 1024**3


def status(code: int, body: bytes = b"", *headers: str) -> Answer:
    """A whole answer with this status."""

    def answer(exchange: Exchange) -> None:
        lines = [f"HTTP/1.1 {code} Because", f"content-length: {len(body)}", *headers]
        exchange.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


def held(gate: threading.Event, then: Answer = ok) -> Answer:
    """Nothing until the gate opens; then another answer."""

    def answer(exchange: Exchange) -> None:
        gate.wait()
        then(exchange)

    return answer


def hangs_before_headers(exchange: Exchange) -> None:
    """Takes the request and never says a word."""
    exchange.closing.wait()
    exchange.keep_connection = False


def hangs_after_headers(exchange: Exchange) -> None:
    """Says 200, announces a body, and never sends it."""
    exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
    hangs_before_headers(exchange)


def trickles_headers(exchange: Exchange) -> None:
    """One byte a second from the first byte on, so that no single read ever takes long."""
    _trickle(exchange, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def trickles_body(exchange: Exchange) -> None:
    """Refuses with a status line at once, and explains itself at one byte a second."""
    exchange.send(b"HTTP/1.1 503 Busy\r\ncontent-length: 600\r\n\r\n")
    _trickle(exchange, b"x" * 600)


def _trickle(exchange: Exchange, raw: bytes) -> None:
    exchange.keep_connection = False
    for byte in raw:
        if exchange.closing.wait(1.0):
            return
        exchange.send(bytes([byte]))


def resets(exchange: Exchange) -> None:
    """Ends the connection by RST instead of answering."""
    exchange.reset()


def resets_in_the_body(exchange: Exchange) -> None:
    """Refuses, begins to explain itself, and ends the connection by RST."""
    exchange.send(b"HTTP/1.1 500 Broken\r\ncontent-length: 600\r\n\r\n" + b"x" * 30)
    exchange.reset()


def talks_nonsense(exchange: Exchange) -> None:
    """Something that is no HTTP."""
    exchange.keep_connection = False
    exchange.send(b"\x15\x03\x01\x00\x02\x02\x16 good day to you\r\n\r\n")


def announces_a_gigabyte(exchange: Exchange) -> None:
    """Refuses with a gigabyte of explanation, as far as somebody listens."""
    exchange.keep_connection = False
    exchange.send(f"HTTP/1.1 500 Long\r\ncontent-length: {GIGABYTE}\r\n\r\n".encode())
    chunk = b"x" * 65536
    while exchange.sent_bytes < GIGABYTE:
        exchange.send(chunk)
