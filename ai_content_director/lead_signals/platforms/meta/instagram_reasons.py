"""What only the Instagram adapter says beside the shared words of `reasons`, and which of those it does not use."""

from enum import StrEnum

from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype


class InstagramIgnored(StrEnum):
    """Understood, and no signal."""

    STORY_INSIGHTS = "story_insights"


class InstagramQuarantined(StrEnum):
    """A shape we cannot trust."""

    MEDIA_NOT_OBJECT = "media_not_object"


class InstagramSubtype(StrEnum):
    """How somebody spoke, finer than the source type."""

    LIVE_COMMENT = "live_comment"


_ONLY_OF_PAGES = frozenset(
    {
        Ignored.OTHER_FEED_ITEM,
        Ignored.UNKNOWN_VERB,
        Ignored.OWN_POST,
        Ignored.POST_WITHOUT_AUTHOR,
        Ignored.POST_EMPTY,
        Ignored.REVIEW,
        Quarantined.ITEM_MISSING,
        Quarantined.ITEM_NOT_TEXT,
        Quarantined.VERB_NOT_TEXT,
        Quarantined.LEADGEN_ID_MISSING,
        Subtype.VISITOR_POST,
        Subtype.LEAD_AD,
        Subtype.MOCK,
    }
)

IGNORED_REASONS = (frozenset(Ignored) - _ONLY_OF_PAGES) | frozenset(InstagramIgnored)
QUARANTINE_REASONS = (frozenset(Quarantined) - _ONLY_OF_PAGES) | frozenset(InstagramQuarantined)
SUBTYPES = (frozenset(Subtype) - _ONLY_OF_PAGES) | frozenset(InstagramSubtype)
