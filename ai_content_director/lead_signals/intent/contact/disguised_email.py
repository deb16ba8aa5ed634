"""E-mail addresses written so that machines miss them: lan.vu (at) mau.vn, lan a còng gmail chấm com."""

import re
from collections.abc import Sequence

from lead_signals.intent.contact.spans import Span, touches_any

_MARKS = r"[\u0300-\u036f]{0,2}"
_DOT_WORD = rf"(?:ch[aấ]{_MARKS}m|dot)"
_DOT = rf"(?: ?[(\[{{<] ?(?:{_DOT_WORD}|\.) ?[)\]}}>] ?| {{1,2}}{_DOT_WORD} {{1,2}}|\.)"
_LOOSE_DOT = rf"(?:{_DOT}| ?\. ?)"
# Only these make a plain "at", or an @ with blanks around it, an address beyond doubt; elsewhere it tags or tells a place.
_PROVIDER = r"(?:gmail|googlemail|yahoo|ymail|hotmail|outlook|icloud|live|zoho)"
_ENDING = r"(?:com|vn|net|org|edu|gov|info|biz|io|asia|example)"
_CONG = rf"(?:a ?c[oò]{_MARKS}ng)"

_AT = re.compile(
    rf"(?P<beyond_doubt> ?[(\[{{<] ?(?:at|@|{_CONG}) ?[)\]}}>] ?| {{1,2}}{_CONG} {{1,2}})"
    rf"|(?P<doubtful> {{1,2}}(?:at|@) {{0,2}}|@ {{1,2}})",
    re.IGNORECASE,
)
_NAME = re.compile(rf"(?<![\w.+\-@])[a-z0-9_][a-z0-9_.+-]{{0,63}}(?: {_DOT_WORD} [a-z0-9_.+-]{{1,64}}){{0,2}}\Z", re.IGNORECASE | re.ASCII)
_LABEL = r"[a-z0-9-]{1,63}"
_HOST = re.compile(rf"{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}{_DOT}{_ENDING}(?:{_DOT}vn)?(?![\w@])", re.IGNORECASE)
_PROVIDER_HOST = re.compile(rf"{_PROVIDER}{_LOOSE_DOT}(?:com|vn|net)(?:{_LOOSE_DOT}vn)?(?![\w@])", re.IGNORECASE)
_DOT_IN_NAME = re.compile(rf" {_DOT_WORD} ", re.IGNORECASE)
_DOT_IN_HOST = re.compile(_LOOSE_DOT, re.IGNORECASE)
_LONGEST_NAME_CHARACTERS = 100


def find_disguised_emails(text: str, plain: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Addresses (in lower case, with start and end) that are none to a mail program, in order; not those found `plain` already.

    Only what is unmistakable: the at sign in brackets or in words with a known ending, or a known mail provider behind it.
    """
    taken: list[Span] = [(start, end) for _, start, end in plain]
    found: list[tuple[str, int, int]] = []
    free_from = 0
    for at in _AT.finditer(text):
        host = (_HOST if at.group("beyond_doubt") else _PROVIDER_HOST).match(text, at.end())
        if host is None:
            continue
        begins = max(free_from, at.start() - _LONGEST_NAME_CHARACTERS)
        name = _NAME.search(text[begins : at.start()])
        if name is None:
            continue
        start, end = begins + name.start(), host.end()
        if touches_any(taken, start, end):
            continue
        address = f"{_DOT_IN_NAME.sub('.', name.group())}@{_DOT_IN_HOST.sub('.', host.group())}"
        found.append((address.lower(), start, end))
        free_from = end
    return found
