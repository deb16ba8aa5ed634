"""What we ask Meta to send, each with its reason and the permission it takes, and the permissions a token must bring."""

from collections.abc import Collection
from dataclasses import dataclass

FACEBOOK, INSTAGRAM = "facebook", "instagram"
ASKED_THROUGH_GRAPH = frozenset({FACEBOOK, INSTAGRAM})
"""The platforms whose tokens we can use. The others deliver without any: their webhooks are set up in their own consoles."""

WITHOUT_A_TOKEN = {
    FACEBOOK: "Without a token the senders' names and the answers of lead forms are not fetched, and neither token nor subscription is"
    " checked; connect the Page again with its token.",
    INSTAGRAM: "Without a token the senders' names are not fetched, and neither token nor subscription is checked; connect the account"
    " again with its Page's token.",
}
"""What a channel loses that was connected without one."""

SUBSCRIBES = "pages_manage_metadata"


@dataclass(frozen=True, slots=True)
class WatchedField:
    """One webhook field of a Page."""

    name: str
    permission: str
    why: str


PAGE_FIELDS: tuple[WatchedField, ...] = (
    WatchedField("feed", "pages_read_engagement", "comments and visitors' posts, their edits and removals"),
    WatchedField("mention", "pages_read_engagement", "somebody names the Page elsewhere"),
    WatchedField("messages", "pages_messaging", "what people write into the inbox, and what they unsend"),
    WatchedField("message_edits", "pages_messaging", "a corrected phone number must replace the wrong one"),
    WatchedField("messaging_postbacks", "pages_messaging", "a pressed button says what the person wants"),
    WatchedField("standby", "pages_messaging", "messages come here instead while another app owns the conversation"),
    WatchedField("leadgen", "leads_retrieval", "somebody sent a lead ad's form"),
)

ANY_PAGE_FIELD = "name"
"""Instagram's own fields are chosen once in the app's dashboard; its account only needs the app on its Page, by any one field (Meta:
webhooks for Instagram, enable Page subscriptions). This one speaks when the Page is renamed, so it brings next to nothing."""

NEEDED_PERMISSIONS: dict[str, tuple[str, ...]] = {
    FACEBOOK: (
        SUBSCRIBES,
        "pages_read_engagement",
        "pages_read_user_content",  # without it comments come without their author and text
        "pages_messaging",
    ),
    INSTAGRAM: (SUBSCRIBES, "instagram_basic", "instagram_manage_comments", "instagram_manage_messages"),
}
USEFUL_PERMISSIONS: dict[str, dict[str, str]] = {
    FACEBOOK: {"leads_retrieval": "the forms of lead ads are not received"},
    INSTAGRAM: {},
}


def page_fields(granted: Collection[str] | None) -> tuple[str, ...]:
    """The fields these permissions allow to subscribe to; all of them when it is not known what was granted.

    One field without its permission would have Graph refuse the whole subscription.
    """
    return tuple(field.name for field in PAGE_FIELDS if granted is None or field.permission in granted)
