"""Somebody wrote about the Page elsewhere. The author is often missing; asking Meta for it is a matter for later."""

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.meta.change_value import author_of, permalink_of, verb_of, written_in
from lead_signals.platforms.meta.changed_saying import read_change_of
from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem


def read_mention(value: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a mention, its change, or why there is none.

    Its id is that of the comment or post: a comment under our own post that also mentions us arrives as both, and is one saying.
    Raises StrangeItem when it cannot be read, or holds neither an id nor a text.
    """
    where = f"{place.where}.value"
    verb = verb_of(value, place)
    if verb != "add":
        id_key = "comment_id" if value.get("comment_id") is not None else "post_id"
        return read_change_of(value, place, verb, id_key=id_key, own=Ignored.OWN_MENTION)
    author = author_of(value, where)
    if author.is_page(place.channel_external_id):
        return place.ignored(Ignored.OWN_MENTION)
    comment_id = external_id(value.get("comment_id"), f"{where}.comment_id")
    post_id = external_id(value.get("post_id"), f"{where}.post_id")
    written = written_in(value, where)
    if comment_id is None and post_id is None and not written.text.strip():
        raise StrangeItem(Quarantined.MENTION_EMPTY, where)
    when = said_at(value.get("created_time"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.MENTION,
        source_subtype=Subtype.COMMENT if comment_id else Subtype.POST,
        channel_external_id=place.channel_external_id,
        external_message_id=comment_id or post_id,
        external_post_id=post_id,
        external_thread_id=comment_id or post_id,
        author_id=author.id,
        author_name=author.name,
        content_text=written.text,
        permalink_url=permalink_of(value),
        said_at=when.moment,
        meta={**written.notes, **when.notes},
    )
