"""Addresses found in a delivery. All are hostile until they match a strict pattern; the console turns them into links.

A pattern over the whole text rather than a URL parser: parsers and browsers disagree about `https://evil\\@facebook.com`.
"""

import re

from lead_signals.json_body import JsonValue

LONGEST_URL_CHARACTERS = 2_048

_REST = r"(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%|-]*)?"
_PERMALINK = re.compile(rf"https://(?:[a-z0-9-]{{1,63}}\.){{0,4}}(?:facebook|instagram)\.com{_REST}", re.IGNORECASE)
_MEDIA = re.compile(rf"https?://[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}}){{0,8}}(?::[0-9]{{1,5}})?{_REST}", re.IGNORECASE)


def permalink(value: JsonValue) -> str | None:
    """The address if it is https on facebook.com, instagram.com or a subdomain of them; None otherwise."""
    return _matching(_PERMALINK, value)


def media_url(value: JsonValue) -> str | None:
    """The address if it is an ordinary http(s) one; None for anything else (`javascript:`, relative paths, no text)."""
    return _matching(_MEDIA, value)


def _matching(pattern: re.Pattern[str], value: JsonValue) -> str | None:
    if not isinstance(value, str) or len(value) > LONGEST_URL_CHARACTERS:
        return None
    return value if pattern.fullmatch(value) else None
