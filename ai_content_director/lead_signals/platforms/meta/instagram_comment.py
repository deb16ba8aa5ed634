"""A comment under a post, reel or ad of the account, or under its live broadcast."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.meta.change_value import Author, author_of, written_in
from lead_signals.platforms.meta.instagram_media import media_of
from lead_signals.platforms.meta.instagram_reasons import InstagramSubtype
from lead_signals.platforms.meta.reasons import Ignored, Quarantined, Subtype
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.strange_item import StrangeItem


def read_comment(value: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a comment; ignored when the account itself wrote it. Raises StrangeItem when it cannot be read."""
    return _read(value, place, is_live=False)


def read_live_comment(value: JsonObject, place: ItemPlace) -> Understood:
    """The same for a comment under a live broadcast, which can be answered in private only while the broadcast lasts."""
    return _read(value, place, is_live=True)


def _read(value: JsonObject, place: ItemPlace, *, is_live: bool) -> Understood:
    where = f"{place.where}.value"
    author = author_of(value, where)
    if _is_own(author, value, place, is_live=is_live):
        return place.ignored(Ignored.OWN_COMMENT)
    comment_id = external_id(value.get("id"), f"{where}.id") or external_id(value.get("comment_id"), f"{where}.comment_id")
    parent_id = external_id(value.get("parent_id"), f"{where}.parent_id")
    media = media_of(value, where)
    written = written_in(value, where, "text")
    if comment_id is None and not written.text.strip():
        raise StrangeItem(Quarantined.COMMENT_EMPTY, where)
    answered_comment_id = parent_id if parent_id != media.id else None
    when = said_at(value.get("timestamp"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.COMMENT,
        source_subtype=_subtype(written.text, is_live=is_live, is_reply=answered_comment_id is not None),
        channel_external_id=place.channel_external_id,
        external_message_id=comment_id,
        external_post_id=media.id,
        external_thread_id=answered_comment_id or comment_id,
        author_id=author.id,
        author_name=author.name,
        content_text=written.text,
        permalink_url=None,  # the address of a post holds a short code, and Instagram delivers only its id
        said_at=when.moment or place.sent_at,  # Instagram writes no time of a comment
        meta={
            **({"parent_comment_id": answered_comment_id} if answered_comment_id else {}),
            **media.notes,
            **written.notes,
            **when.notes,
        },
    )


def _is_own(author: Author, value: JsonObject, place: ItemPlace, *, is_live: bool) -> bool:
    # Instagram adds `self_ig_scoped_id` to what the account itself wrote. Its sample of a live comment carries one too, there the
    # same as the id of a stranger; a live comment of our own has the id of the account.
    if author.is_page(place.channel_external_id):
        return True
    own_id = _own_scoped_id(value.get("from"))
    return own_id is not None and not (is_live and own_id == author.id)


def _own_scoped_id(sender: JsonValue) -> str | None:
    return decorative_id(sender.get("self_ig_scoped_id")) if isinstance(sender, dict) else None


def _subtype(text: str, *, is_live: bool, is_reply: bool) -> Subtype | InstagramSubtype:
    if is_live:
        return InstagramSubtype.LIVE_COMMENT
    if not text.strip():
        return Subtype.STICKER  # an animated picture: Instagram delivers the comment without it
    return Subtype.REPLY if is_reply else Subtype.COMMENT
