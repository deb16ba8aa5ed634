"""What the groups of digits themselves say against a phone number: a date, a list, a decimal, part of a longer number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lead_signals.intent.contact.digit_groups import DigitGroup, Joint

# One or two words among typed digits may be words: "0912 345 67 tám cái". Three in one number are digits.
ENOUGH_SPELLED = 3
# Sizes, days and hours end here; four pairs chance to rise this slowly in one number of five hundred.
LARGEST_LISTED = 48
_COUNTRY_CODES = frozenset({"84", "0084"})
_DOT_WORDS = frozenset({"chấm", "cham", "dot", "gạch", "gach", "cách", "cach"})
# Between numbers these measure or mask: 08h 12h 15h, 09x12x34.
_NO_SEPARATORS = frozenset(
    {"h", "g", "p", "k", "m", "d", "đ", "c", "l", "kg", "cm", "tr", "ng", "con", "cái", "cai", "và", "va", "đến", "den"}
)
# How numbers are grouped when they are written with blanks; in another grouping, beside more digits, they are an account.
_USUAL_GROUPINGS = frozenset({(4, 3, 3), (3, 3, 4), (3, 4, 3), (4, 6), (3, 7), (3, 4, 4), (3, 8), (3, 3, 3), (9,)})


@dataclass(frozen=True, slots=True)
class Candidate:
    """Groups `first` to `last` (both inside) of a text, as many digits as a phone has.

    `free_before` is the first group that belongs to no number found before it; `number_follows` tells that the next group
    begins a whole number itself.
    """

    groups: Sequence[DigitGroup]
    joints: Sequence[Joint | None]
    first: int
    last: int
    free_before: int
    number_follows: bool

    @property
    def start(self) -> int:
        """The character of the text it begins with."""
        return self.groups[self.first].start

    @property
    def end(self) -> int:
        """The character of the text after its last."""
        return self.groups[self.last].end

    @property
    def parts(self) -> Sequence[DigitGroup]:
        """Its groups."""
        return self.groups[self.first : self.last + 1]

    @property
    def inner(self) -> list[Joint]:
        """What joins its groups."""
        return [joint for joint in self.joints[self.first : self.last] if joint is not None]

    def before(self) -> list[tuple[Joint, DigitGroup]]:
        """Up to two free groups before it that are joined to it, the nearest first, each with its joint."""
        return self._beside([(at, at) for at in (self.first - 1, self.first - 2) if at >= self.free_before])

    def after(self) -> list[tuple[Joint, DigitGroup]]:
        """Up to two groups behind it that are joined to it, the nearest first; none when they begin a number of their own."""
        if self.number_follows:
            return []
        return self._beside([(at - 1, at) for at in (self.last + 1, self.last + 2) if at < len(self.groups)])

    def _beside(self, places: Sequence[tuple[int, int]]) -> list[tuple[Joint, DigitGroup]]:
        beside: list[tuple[Joint, DigitGroup]] = []
        for joint_at, group_at in places:
            joint = self.joints[joint_at]
            if joint is None:
                break
            beside.append((joint, self.groups[group_at]))
        return beside


def is_improbable_grouping(candidate: Candidate) -> bool:
    """Whether the groups, their signs and their neighbours are rather something else than a phone number."""
    return any(speaks_against(candidate) for speaks_against in _DOUBTS)


def _words_are_words(candidate: Candidate) -> bool:
    """Few spelled digits at the edge, or a "không" among typed ones, and letters alone, are what they mostly are: words."""
    parts = candidate.parts
    spelled = sum(part.spelled for part in parts)
    if spelled >= ENOUGH_SPELLED:
        return False
    if any(part.lone for part in parts) and any(len(part.digits) > 1 for part in parts):
        return True
    return bool(parts[0].spelled or parts[-1].spelled) or any(part.spelled and "0" in part.digits for part in parts)


def _words_do_not_separate(candidate: Candidate) -> bool:
    """A word between groups is a trick against machines when it says "dot", or when it stands the same in every gap."""
    inner = candidate.inner
    words = {joint.word for joint in inner if joint.word}
    if words <= _DOT_WORDS:
        return False
    outer = {joint.word for joint, _ in (*candidate.before(), *candidate.after())}
    same_everywhere = len(words) == 1 and all(joint.word for joint in inner) and len(inner) > 1
    return not same_everywhere or bool(words & (_NO_SEPARATORS | outer)) or any("x" in word for word in words)


def _is_decimal(candidate: Candidate) -> bool:
    """0.912345678"""
    parts = candidate.parts
    return len(parts) == 2 and parts[0].digits == "0" and candidate.inner[0] in {Joint(".", False), Joint(",", False)}


def _is_list(candidate: Candidate) -> bool:
    """Pairs with commas or with several signs, as 09/12 - 15/12 20h, and sizes, days or hours in rising order."""
    parts, inner = _behind_country_code(candidate)
    signs = {joint.signs.strip("()[]") for joint in inner}
    pairs = [len(one.digits) <= 2 and len(other.digits) <= 2 for one, other in pairwise(parts)]
    if len(signs) > 1 and any(pair and joint.signs == "/" for pair, joint in zip(pairs, inner, strict=True)):
        return True
    if any(len(part.digits) != 2 for part in parts):
        return "," in signs and any(len(part.digits) == 2 for part in parts)
    rises = all(one.digits < other.digits for one, other in pairwise(parts))
    return len(signs) > 1 or "," in signs or (rises and int(parts[-1].digits) <= LARGEST_LISTED)


def _behind_country_code(candidate: Candidate) -> tuple[Sequence[DigitGroup], Sequence[Joint]]:
    """Groups and joints without a +84 that stands by itself, which is often set off by another sign than the rest."""
    parts, inner = candidate.parts, candidate.inner
    begins = 1 if parts[0].digits in _COUNTRY_CODES and len(parts) > 1 else 0
    return parts[begins:], inner[begins:]


def _holds_date(candidate: Candidate) -> bool:
    """A date beside other digits; a number whose groups happen to look like one has the same sign in every gap."""
    inner = candidate.inner
    for at in range(max(candidate.first - 2, 0), min(candidate.last, len(candidate.groups) - 3) + 1):
        signs, again = candidate.joints[at], candidate.joints[at + 1]
        if signs is None or again is None or signs.signs != again.signs or signs.signs not in {"-", "/", "."}:
            continue
        if _is_date(*candidate.groups[at : at + 3]):
            inside = candidate.first <= at and at + 2 <= candidate.last
            if not inside or any(joint != signs for joint in inner):
                return True
    return False


def _is_date(one: DigitGroup, two: DigitGroup, three: DigitGroup) -> bool:
    if not (one.typed and two.typed and three.typed):
        return False
    if len(one.digits) == 4:
        one, three = three, one
    if len(three.digits) != 4 or three.digits[:2] not in {"19", "20"} or len(one.digits) > 2 or len(two.digits) > 2:
        return False
    day, month = sorted((int(one.digits), int(two.digits)), reverse=True)
    return 1 <= month <= 12 and day <= 31


def _goes_on(candidate: Candidate) -> bool:
    """The digits beside it belong to it, so the number is longer than a phone."""
    sides = ((candidate.before(), candidate.parts[0]), (candidate.after(), candidate.parts[-1]))
    return any(
        beside
        and (_goes_on_tightly(candidate, beside[0], edge) or _goes_on_evenly(candidate, beside) or _goes_on_oddly(candidate, beside[0]))
        for beside, edge in sides
    )


def _goes_on_tightly(candidate: Candidate, nearest: tuple[Joint, DigitGroup], edge: DigitGroup) -> bool:
    """0912.345.678.901, and the tax code 0912345678-001."""
    joint, group = nearest
    if joint.blank or joint.word or not joint.signs or not group.typed:
        return False
    if candidate.first == candidate.last:
        return len(group.digits) >= 3 and (joint.signs in {".", ","} or (joint.signs == "-" and group.digits.startswith("00")))
    return joint in candidate.inner and (len(group.digits) >= 3 or len(group.digits) == len(edge.digits))


def _goes_on_evenly(candidate: Candidate, beside: Sequence[tuple[Joint, DigitGroup]]) -> bool:
    """Digit by digit or pair by pair, and two more of them; one more may be a quantity."""
    parts, inner = candidate.parts, candidate.inner
    size = len(parts[0].digits)
    if len(beside) < 2 or not inner or any(len(part.digits) != size for part in parts):
        return False
    return all(len(group.digits) == size and joint == inner[-1] for joint, group in beside)


def _goes_on_oddly(candidate: Candidate, nearest: tuple[Joint, DigitGroup]) -> bool:
    """1903 0912 3456 78: grouped by blanks as phones are not, and more digits beside it."""
    joint, group = nearest
    if not group.typed or len(group.digits) < 3 or not joint.blank or joint not in candidate.inner:
        return False
    parts, _ = _behind_country_code(candidate)
    return tuple(len(part.digits) for part in parts) not in _USUAL_GROUPINGS


_DOUBTS: tuple[Callable[[Candidate], bool], ...] = (
    _words_are_words,
    _words_do_not_separate,
    _is_decimal,
    _is_list,
    _holds_date,
    _goes_on,
)
