"""A comment under a video of the business account: written, deleted, hidden, shown again."""

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.inbound_signal import ChangeKind, InboundSignal, SourceType, Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.tiktok.content import person_of, words_at
from lead_signals.platforms.tiktok.reasons import Ignored, Quarantined, Subtype

_KIND_OF_ACTION = {
    "delete": ChangeKind.REMOVED,
    "set_to_hidden": ChangeKind.HIDDEN,
    **dict.fromkeys(("set_to_public", "set_to_friends_only"), ChangeKind.SHOWN),
}


def read_comment_update(content: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a new comment or the change of an old one (`comment.update`). Raises StrangeItem when it cannot be read."""
    action = content.get("comment_action")
    if action is None:
        raise StrangeItem(Quarantined.ACTION_MISSING, "content.comment_action")
    if not isinstance(action, str):
        raise StrangeItem(Quarantined.ACTION_NOT_TEXT, "content.comment_action")
    if action == "insert":
        return _read_comment(content, place, text_key="text")
    kind = _KIND_OF_ACTION.get(action)
    return place.ignored(Ignored.UNKNOWN_ACTION) if kind is None else _read_change(content, place, kind)


def read_high_intent_comment(content: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a comment by which TikTok thinks that somebody wants to buy. Raises StrangeItem when it cannot be read.

    It has the id of the same comment's `comment.update`: one saying, one lead.
    """
    return _read_comment(content, place, text_key="comment_text", subtype=Subtype.HIGH_INTENT)


def _read_comment(content: JsonObject, place: ItemPlace, *, text_key: str, subtype: Subtype | None = None) -> Understood:
    person = person_of(content, place.channel_external_id)
    if person.is_account:
        return place.ignored(Ignored.OWN_COMMENT)
    comment_id = external_id(content.get("comment_id"), "content.comment_id")
    written = words_at(content.get(text_key), f"content.{text_key}")
    if comment_id is None and not written.text.strip():
        raise StrangeItem(Quarantined.COMMENT_EMPTY, "content")
    answered_id = decorative_id(content.get("parent_comment_id"))  # 0 when the comment answers none
    when = said_at(content.get("timestamp"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.COMMENT,
        source_subtype=subtype or (Subtype.REPLY if answered_id else Subtype.COMMENT),
        channel_external_id=place.channel_external_id,
        external_message_id=comment_id,
        external_post_id=decorative_id(content.get("video_id")),
        external_thread_id=answered_id or comment_id,
        author_id=person.id,
        author_name=person.name,
        content_text=written.text,
        permalink_url=None,
        said_at=when.moment,
        meta={**({"parent_comment_id": answered_id} if answered_id else {}), **person.notes, **written.notes, **when.notes},
    )


def _read_change(content: JsonObject, place: ItemPlace, kind: ChangeKind) -> Understood:
    # Without asking who wrote it: what the account says to its own comment changes no lead, since none was made of it.
    comment_id = external_id(content.get("comment_id"), "content.comment_id")
    if comment_id is None:
        return place.ignored(Ignored.CHANGE_WITHOUT_ID)
    return place.change(kind, comment_id, said_at(content.get("timestamp"), place.now).moment)
