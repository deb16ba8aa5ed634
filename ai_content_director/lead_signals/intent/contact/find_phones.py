"""Phone numbers of a text, in whatever disguise they were written."""

from collections.abc import Sequence
from typing import NamedTuple

from lead_signals.intent.contact.another_kind_of_number import is_another_kind_of_number
from lead_signals.intent.contact.digit_groups import DigitGroup, Joint, read_digit_groups, read_joints
from lead_signals.intent.contact.improbable_grouping import Candidate, is_improbable_grouping
from lead_signals.intent.contact.number_in_link import is_in_another_link, link_spans
from lead_signals.intent.contact.numbering_plan import MOST_DIGITS, as_e164, is_whole_number, may_become_a_number
from lead_signals.intent.contact.simplified_text import simplify
from lead_signals.intent.contact.spans import Span, touches_any

_KEYCAP = "\ufe0f\u20e3"


class FoundPhone(NamedTuple):
    """A number in E.164 and its place in the text."""

    number: str
    start: int
    end: int


def find_phones(text: str, taken: Sequence[Span] = ()) -> list[FoundPhone]:
    """Every mention of a Vietnamese phone number outside the places already `taken` (sorted, apart), in order, none overlapping.

    The work grows with the length of the text: each group of digits is tried once as the beginning of a number.
    """
    simple = simplify(text)
    groups = read_digit_groups(simple)
    joints = read_joints(simple, groups)
    links: list[Span] | None = None
    found: list[FoundPhone] = []
    first = free_before = 0
    while first < len(groups):
        last = _last_group(groups, joints, first)
        if last is None:
            first += 1
            continue
        follows = last + 1 < len(groups) and _last_group(groups, joints, last + 1) is not None
        candidate = Candidate(groups, joints, first, last, free_before, follows)
        number = _number(simple, candidate)
        if number is None:
            first += 1
            continue
        first = free_before = last + 1
        links = link_spans(simple) if links is None else links
        start, end = _with_plus(simple, candidate.start), _with_keycap(text, candidate.end)
        if not touches_any(taken, start, end) and not is_in_another_link(simple, links, start, end):
            found.append(FoundPhone(number, start, end))
    return found


def _last_group(groups: Sequence[DigitGroup], joints: Sequence[Joint | None], first: int) -> int | None:
    """The group with which a number that begins at `first` is whole. How many digits it needs follows from how it begins."""
    digits = ""
    for at in range(first, min(first + MOST_DIGITS, len(groups))):
        if at > first and joints[at - 1] is None:
            return None
        digits += groups[at].digits
        if is_whole_number(digits):
            return at
        if not may_become_a_number(digits):
            return None
    return None


def _number(simple: str, candidate: Candidate) -> str | None:
    digits = "".join(part.digits for part in candidate.parts)
    if is_improbable_grouping(candidate) or is_another_kind_of_number(simple, digits, candidate.start, candidate.end):
        return None
    return as_e164(digits)


def _with_plus(simple: str, start: int) -> int:
    """The plus of +84 belongs to the number, a blank after it or not."""
    for before in (start - 1, start - 2):
        if before >= 0 and simple[before] == "+":
            return before
        if before < 0 or simple[before] != " ":
            break
    return start


def _with_keycap(text: str, end: int) -> int:
    while end < len(text) and text[end] in _KEYCAP:
        end += 1
    return end
