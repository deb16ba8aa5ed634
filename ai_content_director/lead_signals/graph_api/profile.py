"""The name a sender shows to a Page."""

from dataclasses import dataclass

from lead_signals.graph_api.graph_value import graph_id, graph_text
from lead_signals.json_body import JsonObject, JsonValue

PROFILE_FIELDS = "first_name,last_name,name"
# developers.facebook.com/docs/messenger-platform/instagram/features/user-profile: asking for another field refuses the whole call.
INSTAGRAM_PROFILE_FIELDS = "name,username"


@dataclass(frozen=True, slots=True)
class Profile:
    """What Graph tells of a person; every name may be absent, and all of them were written by a stranger."""

    psid: str
    name: str | None
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None

    @property
    def display_name(self) -> str | None:
        """The whole name: as the person shows it, or put together from its parts, or `@username` (Instagram), or None."""
        from_parts = " ".join(part for part in (self.first_name, self.last_name) if part)
        return self.name or from_parts or (f"@{self.username}" if self.username else None)


def read_profile(psid: str, said: JsonObject) -> Profile:
    """The profile in Graph's answer about `psid`; an answer with no name in it is a profile without a name."""
    return Profile(psid, graph_text(said.get("name")), graph_text(said.get("first_name")), graph_text(said.get("last_name")))


def read_instagram_profile(igsid: str, said: JsonObject) -> Profile:
    """The same of a person on Instagram, whose name may be unset and whose username is not."""
    return Profile(igsid, graph_text(said.get("name")), username=graph_text(said.get("username")))


def read_participant(psid: str, said: JsonObject) -> Profile | None:
    """The person among the participants of their own conversations with the Page; None when Graph names them nowhere."""
    for conversation in _entries(said.get("data")):
        participants = conversation.get("participants")
        for participant in _entries(participants.get("data") if isinstance(participants, dict) else None):
            name = graph_text(participant.get("name"))
            if graph_id(participant.get("id")) == psid and name is not None:
                return Profile(psid, name)
    return None


def _entries(value: JsonValue) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
