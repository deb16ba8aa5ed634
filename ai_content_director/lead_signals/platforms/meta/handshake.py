"""Meta's GET before it delivers: it shows our verify token, we echo its challenge.

Once per save in the App Dashboard; needs no database. The answer is the challenge alone, as text/plain.
"""

import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

_CHALLENGE = re.compile(r"[0-9A-Za-z_-]{1,256}")  # what we echo is written by a stranger: nothing that a browser could run


class HandshakeRefusal(StrEnum):
    """Why we do not echo; a closed set, fit for a metric label."""

    CLOSED = "closed"
    WRONG_MODE = "wrong_mode"
    WRONG_TOKEN = "wrong_token"  # noqa: S105 - a label, no secret
    BAD_CHALLENGE = "bad_challenge"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Echo this text, and nothing else."""

    text: str


def answer_handshake(
    mode: str | None, token: str | None, challenge: str | None, expected_token: str | None
) -> Challenge | HandshakeRefusal:
    """The challenge to echo, or why not. An unset or blank `expected_token` is closed: nothing would equal nothing."""
    if not expected_token or not expected_token.strip():
        return HandshakeRefusal.CLOSED
    if mode != "subscribe":
        return HandshakeRefusal.WRONG_MODE
    if not hmac.compare_digest(_bytes(token or ""), _bytes(expected_token)):
        return HandshakeRefusal.WRONG_TOKEN
    if challenge is None or _CHALLENGE.fullmatch(challenge) is None:
        return HandshakeRefusal.BAD_CHALLENGE
    return Challenge(challenge)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # comparing text would raise on anything beyond ASCII
