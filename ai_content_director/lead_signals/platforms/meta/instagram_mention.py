"""Somebody wrote `@` and the account's name under a post that is not the account's. Instagram delivers ids only; the rest is fetched."""

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.meta.change_value import author_of, written_in
from lead_signals.platforms.meta.instagram_media import media_of
from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.strange_item import StrangeItem


def read_instagram_mention(value: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a mention: in the comment `comment_id`, or in the caption of the post `media_id`.

    Author and text are there only when a relay has fetched them. Raises StrangeItem when it names neither comment nor post.
    """
    where = f"{place.where}.value"
    author = author_of(value, where)
    if author.is_page(place.channel_external_id):
        return place.ignored(Ignored.OWN_MENTION)
    comment_id = external_id(value.get("comment_id"), f"{where}.comment_id")
    media = media_of(value, where)
    mention_id = comment_id or media.id
    if mention_id is None:
        raise StrangeItem(Quarantined.MENTION_EMPTY, where)
    written = written_in(value, where, "text")
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.MENTION,
        source_subtype=Subtype.COMMENT if comment_id else Subtype.POST,
        channel_external_id=place.channel_external_id,
        external_message_id=mention_id,
        external_post_id=media.id,
        external_thread_id=mention_id,
        author_id=author.id,
        author_name=author.name,
        content_text=written.text,
        permalink_url=None,
        said_at=place.sent_at,
        meta={**media.notes, **written.notes},
    )
