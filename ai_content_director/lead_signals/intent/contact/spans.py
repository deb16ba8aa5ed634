"""Stretches of a text, sorted and apart from each other, asked whether they touch another one."""

from bisect import bisect_left
from collections.abc import Sequence

Span = tuple[int, int]
"""First character, and the one after the last."""


def touches_any(spans: Sequence[Span], start: int, end: int) -> bool:
    """Whether a character of `start` to `end` lies in one of `spans`, which are sorted and do not overlap."""
    at = bisect_left(spans, (end, end))
    return at > 0 and spans[at - 1][1] > start
