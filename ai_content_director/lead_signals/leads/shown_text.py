"""A lead's text as the page shows it: matched words marked, unseen characters by their code, and never more than a page can bear.

A list holds fifty leads and a comment 65,536 characters, each of which a stranger chose: what becomes an element is counted here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lead_signals.leads.matched_words import MatchedRule, Stretch, cut_out, stretches
from lead_signals.page_frame.unseen_characters import MOST_MARKS, Piece, pieces

MOST_SHOWN_CHARACTERS: Final = 5_000
"""Two printed pages. The whole text stays in the API."""
LONG_TEXT_CHARACTERS: Final = 420
LONG_TEXT_LINES: Final = 7
EXCERPT_CHARACTERS: Final = 300
EXCERPT_LINES: Final = 4
MOST_NAMED_RULES: Final = 3
"""In the title of one mark."""


@dataclass(frozen=True, slots=True)
class ShownStretch:
    """A part of the text; when rules spoke about it, `rules` names them and `decided` says that one of them made the verdict."""

    pieces: Sequence[Piece]
    rules: str
    decided: bool


@dataclass(frozen=True, slots=True)
class ShownText:
    """What is shown of a text: `shown_characters` of its `characters`."""

    parts: Sequence[ShownStretch]
    excerpt: Sequence[ShownStretch] | None
    """The beginning of a long text; None when the text is short enough to show whole."""
    shown_characters: int
    characters: int
    goes_on: bool


def show_text(text: str, rules: Sequence[MatchedRule], intent_label: str) -> ShownText:
    """The text cut at MOST_SHOWN_CHARACTERS, its matched words marked. At most MOST_MARKS unseen characters become marks."""
    start, end = _shown_range(text)
    parts = cut_out(stretches(text, rules, intent_label), start, end)
    excerpt_range = _excerpt_range(text[start:end])
    return ShownText(
        parts=list(_laid_out(parts)),
        excerpt=None if excerpt_range is None else list(_laid_out(cut_out(parts, *excerpt_range))),
        shown_characters=end - start,
        characters=len(text),
        goes_on=end < len(text),
    )


def _shown_range(text: str) -> tuple[int, int]:
    """From the first word on, when something has to be left out."""
    if len(text) <= MOST_SHOWN_CHARACTERS:
        return 0, len(text)
    start = len(text) - len(text.lstrip())
    return start, min(start + MOST_SHOWN_CHARACTERS, len(text))


def _excerpt_range(text: str) -> tuple[int, int] | None:
    if len(text) <= LONG_TEXT_CHARACTERS and len(text.splitlines()) <= LONG_TEXT_LINES:
        return None
    start = len(text) - len(text.lstrip())
    end = start + len("".join(text[start:].splitlines(keepends=True)[:EXCERPT_LINES]).rstrip())
    if end - start > EXCERPT_CHARACTERS:
        end = start + EXCERPT_CHARACTERS
        gap = text.rfind(" ", end - 30, end + 1)  # between two words, when there is a gap near by
        end = gap if gap > start else end
    return start, end


def _laid_out(parts: Sequence[Stretch]) -> Iterator[ShownStretch]:
    marks_left = MOST_MARKS  # for all stretches together: a hundred matches must not mean a hundred times as many marks
    for part in parts:
        shown = pieces(part.text, marks_left)
        marks_left -= sum(piece.is_unseen for piece in shown)
        named = part.rules[:MOST_NAMED_RULES]
        yield ShownStretch(shown, ", ".join(named) + (", …" if len(part.rules) > len(named) else ""), part.decided)
