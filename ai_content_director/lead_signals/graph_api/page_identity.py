"""Which Page a token speaks for."""

from dataclasses import dataclass

from lead_signals.graph_api.graph_value import graph_id, graph_text
from lead_signals.json_body import JsonObject


@dataclass(frozen=True, slots=True)
class PageIdentity:
    """Graph's own id of the Page, and its name when Graph gives one."""

    page_id: str
    name: str | None


def read_page_identity(said: JsonObject) -> PageIdentity | None:
    """The Page in Graph's answer to /me; None when there is no id."""
    page_id = graph_id(said.get("id"))
    return None if page_id is None else PageIdentity(page_id, graph_text(said.get("name")))
