"""Links of a text: the digits in one are ids, unless the link itself dials."""

import re
from collections.abc import Sequence

from lead_signals.intent.contact.spans import Span, touches_any

_CHUNK = re.compile(r"\S+")
_SCHEME = re.compile(r"https?://|www\.", re.IGNORECASE)
# Enough endings to know a link without its scheme, as it is said in comments: fb.com/…, shopee.vn/…, bit.ly/…
_BARE_LINK = re.compile(
    r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\."
    r"(?:com|vn|net|org|me|co|info|io|shop|store|link|ly|gl|app|page|online|asia|xyz|us|site|top|tv|to|ai|gg|example)[/?]",
    re.IGNORECASE,
)
_DIALS = re.compile(r"(?:zalo\.me/|wa\.me/|zalo\.me/\S{0,20}phone=|whatsapp\.com/send/?\?phone=)(?:\+|%2B)?\Z", re.IGNORECASE)
_LOOKED_BACK_CHARACTERS = 48


def link_spans(text: str) -> list[Span]:
    """Where the links of `text` stand, in order."""
    if "/" not in text and "www." not in text and "WWW." not in text:
        return []
    spans: list[Span] = []
    for match in _CHUNK.finditer(text):
        link = _SCHEME.search(match.group()) or _BARE_LINK.match(match.group())
        if link is not None:
            spans.append((match.start() + link.start(), match.end()))
    return spans


def is_in_another_link(text: str, links: Sequence[Span], start: int, end: int) -> bool:
    """Whether `start` to `end` lies in a link that does not dial this very number, as zalo.me/0912345678 does."""
    if not touches_any(links, start, end):
        return False
    return _DIALS.search(text[max(0, start - _LOOKED_BACK_CHARACTERS) : start]) is None
