"""A change of the Page's feed: comments, and posts that visitors leave on the Page. Everything else there is nobody speaking."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.meta.attachments import attachments_of_change
from lead_signals.platforms.meta.change_value import author_of, permalink_of, verb_of, written_in
from lead_signals.platforms.meta.changed_saying import read_change_of
from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem

_POSTS = frozenset({"post", "status", "photo", "video", "share", "link", "note"})
_REACTIONS = frozenset({"like", "reaction"})


def read_feed(value: JsonObject, place: ItemPlace) -> Understood:
    """The comment or visitor post in a feed value, its change, or why there is none. Raises StrangeItem when it cannot be read."""
    item = value.get("item")
    if item is None:
        raise StrangeItem(Quarantined.ITEM_MISSING, f"{place.where}.value.item")
    if not isinstance(item, str):
        raise StrangeItem(Quarantined.ITEM_NOT_TEXT, f"{place.where}.value.item")
    if item == "comment":
        return _read_comment(value, place)
    if item in _POSTS:
        return _read_visitor_post(value, item, place)
    return place.ignored(Ignored.REACTION if item in _REACTIONS else Ignored.OTHER_FEED_ITEM)


def _read_comment(value: JsonObject, place: ItemPlace) -> Understood:
    verb = verb_of(value, place)
    if verb != "add":
        return read_change_of(value, place, verb, id_key="comment_id", own=Ignored.OWN_COMMENT)
    return comment_signal(value, place, f"{place.where}.value")


def comment_signal(value: JsonObject, place: ItemPlace, where: str, subtype: Subtype | None = None) -> Understood:
    """The signal of a new comment; ignored when the Page itself wrote it, or we would answer our own answers.

    A comment of only a sticker has neither text nor attachment: it is a signal by its id. `subtype` overrules our own reading.
    Raises StrangeItem when there is neither an id nor anything said.
    """
    author = author_of(value, where)
    if author.is_page(place.channel_external_id):
        return place.ignored(Ignored.OWN_COMMENT)
    comment_id = external_id(value.get("comment_id"), f"{where}.comment_id")
    post_id = external_id(value.get("post_id"), f"{where}.post_id")
    parent_id = external_id(value.get("parent_id"), f"{where}.parent_id")
    written = written_in(value, where)
    attachments = attachments_of_change(value)
    if comment_id is None and not written.text.strip() and not attachments:
        raise StrangeItem(Quarantined.COMMENT_EMPTY, where)
    if post_id is None and _is_post_of(place.channel_external_id, parent_id):
        post_id = parent_id
    answered_comment_id = parent_id if _is_reply(parent_id, post_id, comment_id) else None
    when = said_at(value.get("created_time"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.COMMENT,
        source_subtype=subtype or _comment_subtype(written.text, attachments, is_reply=answered_comment_id is not None),
        channel_external_id=place.channel_external_id,
        external_message_id=comment_id,
        external_post_id=post_id,
        external_thread_id=answered_comment_id or comment_id,
        author_id=author.id,
        author_name=author.name,
        content_text=written.text,
        permalink_url=permalink_of(value),
        said_at=when.moment,
        meta={
            **({"parent_comment_id": answered_comment_id} if answered_comment_id else {}),
            **({"attachments": attachments} if attachments else {}),
            **({"on_ad": True} if _is_on_ad(value) else {}),
            **written.notes,
            **when.notes,
        },
    )


def _is_post_of(page_id: str | None, parent_id: str | None) -> bool:
    return page_id is not None and parent_id is not None and parent_id.startswith(f"{page_id}_")


def _is_reply(parent_id: str | None, post_id: str | None, comment_id: str | None) -> bool:
    # `parent_id` is always there: the post for a comment on it, a comment for a reply. The halves before the underscore
    # differ between deliveries (page or post), so the last halves are compared.
    if parent_id is None:
        return False
    if post_id is not None:
        return _last_half(parent_id) != _last_half(post_id)
    return comment_id is None or _last_half(parent_id) != comment_id.partition("_")[0]


def _last_half(graph_id: str) -> str:
    return graph_id.rpartition("_")[2]


def _comment_subtype(text: str, attachments: list[JsonValue], *, is_reply: bool) -> Subtype:
    if not text.strip():
        return Subtype.ATTACHMENT if attachments else Subtype.STICKER
    return Subtype.REPLY if is_reply else Subtype.COMMENT


def _is_on_ad(value: JsonObject) -> bool:
    # Posts made only to be advertised are never published on the Page; comments on them arrive all the same.
    post = value.get("post")
    return isinstance(post, dict) and (post.get("promotion_status") == "active" or post.get("is_published") is False)


def _read_visitor_post(value: JsonObject, item: str, place: ItemPlace) -> Understood:
    where = f"{place.where}.value"
    verb = verb_of(value, place)
    if verb != "add":
        return read_change_of(value, place, verb, id_key="post_id", own=Ignored.OWN_POST)
    author = author_of(value, where)
    if author.is_page(place.channel_external_id):
        return place.ignored(Ignored.OWN_POST)
    if author.id is None and item != "post":  # `post` is what visitors make; the other kinds are mostly the Page's own
        return place.ignored(Ignored.POST_WITHOUT_AUTHOR)
    post_id = external_id(value.get("post_id"), f"{where}.post_id")
    written = written_in(value, where)
    attachments = attachments_of_change(value)
    if not written.text.strip() and not attachments:
        return place.ignored(Ignored.POST_EMPTY)
    when = said_at(value.get("created_time"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.POST,
        source_subtype=Subtype.VISITOR_POST,
        channel_external_id=place.channel_external_id,
        external_message_id=post_id,
        external_post_id=post_id,
        external_thread_id=post_id,
        author_id=author.id,
        author_name=author.name,
        content_text=written.text,
        permalink_url=permalink_of(value),
        said_at=when.moment,
        meta={**({"attachments": attachments} if attachments else {}), **written.notes, **when.notes},
    )
