"""Phone numbers and e-mail addresses that a person left in a text."""

import re
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from lead_signals.intent.contact.disguised_email import find_disguised_emails
from lead_signals.intent.contact.find_phones import find_phones
from lead_signals.intent.contact.simplified_text import TYPED_DIGITS
from lead_signals.intent.contact.spelled_digits import BEGINS_A_SPELLED_NUMBER

# Three quick looks tell the texts that cannot hold a number or an address from those worth reading sign by sign. A number
# without a spelled digit has at least six typed ones; between two of them stands a word of a few letters at most.
_MANY_DIGITS = re.compile(f"[{TYPED_DIGITS}]" + f"[^{TYPED_DIGITS}]{{0,9}}[{TYPED_DIGITS}]" * 5)
_SPELLED = re.compile(BEGINS_A_SPELLED_NUMBER)
# "(at", "a còng"; begins with one class of signs, which is what the search is quick to look for.
_AT_SIGN_IN_WORDS = re.compile(r"[(\[{<oOòÒ](?:(?<=[(\[{<]) ?[aA@]|(?<=[cC].)\u0300?[nN][gG])")
_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9_.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w@])")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９＠．＿－", "0123456789@._-")  # one for one, so places stay what they are


@dataclass(frozen=True, slots=True)
class ContactPlace:
    """Where in the text a phone or an e-mail stands; `start` and `end` are characters of the original text."""

    kind: Literal["phone", "email"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """`phones` in E.164 and `emails` in lower case, each once, in the order of the text; `places` names every mention."""

    phones: tuple[str, ...]
    emails: tuple[str, ...]
    places: tuple[ContactPlace, ...] = ()


NO_CONTACT_DETAILS = ContactDetails((), ())


def find_contact_details(text: str) -> ContactDetails:
    """Vietnamese phone numbers (mobile old and new, landline) and e-mail addresses in `text`, plain or in disguise.

    A number counts when the numbering plan knows it and nothing says that it is another thing: an account, an amount, a
    date, part of a longer number. Hotlines (1800, 1900) are a company's, not a person's, and never count. Never raises.
    Costs some quick looks for a text with neither digits near each other nor digits in words nor an at sign.
    """
    emails = _find_emails(text)
    worth_reading = _MANY_DIGITS.search(text) is not None or _SPELLED.search(text) is not None
    # Digits inside an address are no phone: 0912345678@example.vn is one e-mail.
    phones = find_phones(text, [(start, end) for _, start, end in emails]) if worth_reading else []
    if not emails and not phones:
        return NO_CONTACT_DETAILS
    places = chain(
        (ContactPlace("email", start, end) for _, start, end in emails),
        (ContactPlace("phone", start, end) for _, start, end in phones),
    )
    return ContactDetails(
        phones=tuple(dict.fromkeys(number for number, _, _ in phones)),
        emails=tuple(dict.fromkeys(address for address, _, _ in emails)),
        places=tuple(sorted(places, key=lambda place: place.start)),
    )


def _find_emails(text: str) -> list[tuple[str, int, int]]:
    plain: list[tuple[str, int, int]] = []
    if "@" in text or "＠" in text:
        text = text if text.isascii() else text.translate(_FULL_WIDTH)
        plain = [(match.group().lower(), match.start(), match.end()) for match in _EMAIL.finditer(text)]
    elif " at " not in text and _AT_SIGN_IN_WORDS.search(text) is None:
        return plain
    return sorted(plain + find_disguised_emails(text, plain), key=lambda email: email[1])
