"""What a lead said before it was edited, as the page shows it: how often, and the earlier texts, never more than a page can bear."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lead_signals.leads.changed_lead import edits_of
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_words import LEAD_WORDS
from lead_signals.leads.message_versions import Version
from lead_signals.page_frame.language import Language, written_number
from lead_signals.page_frame.shown_moment import ShownMoment, show_moment
from lead_signals.page_frame.unseen_characters import is_blank

MOST_EARLIER: Final = 5
EARLIER_CHARACTERS: Final = 1_000
"""Of each. The whole text stays in the API."""


@dataclass(frozen=True, slots=True)
class EarlierText:
    """A text that was replaced, and when it was written; `text` is None when it had no words."""

    moment: ShownMoment
    text: str | None


@dataclass(frozen=True, slots=True)
class ShownEdits:
    """`word` says that and how often; `earlier` holds the first text and the last ones before the present, oldest first."""

    word: str
    earlier: Sequence[EarlierText]
    further: str | None


def show_edits(lead: Lead, versions: Sequence[Version], now: datetime, language: Language) -> ShownEdits | None:
    """None for a lead that was not edited. Of `versions` (newest last) the newest is the text the lead shows already."""
    count, words = edits_of(lead), LEAD_WORDS[language]
    if count < 1:
        return None
    earlier = versions[:-1][:MOST_EARLIER]
    further = count - len(earlier)
    return ShownEdits(
        word=words.edited_once if count == 1 else words.edited_often.format(count=written_number(count, language)),
        earlier=[
            EarlierText(show_moment(version.said_at or version.received_at, now, language), _clipped(version.content_text))
            for version in earlier
        ],
        further=words.more_edits.format(count=written_number(further, language)) if earlier and further > 0 else None,
    )


def _clipped(text: str) -> str | None:
    if is_blank(text):
        return None
    return text if len(text) <= EARLIER_CHARACTERS else text[: EARLIER_CHARACTERS - 1] + "…"
