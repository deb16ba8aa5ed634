"""What Graph knows about a token: whether it works, until when, and for what."""

from dataclasses import dataclass
from datetime import datetime

from lead_signals.graph_api.graph_value import graph_id, graph_moment, graph_text
from lead_signals.json_body import JsonObject


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """Graph's word on a token.

    `expires_at` and `data_access_expires_at` are None when Graph sets no end (it writes 0). `app_id` is the app the token was made for: it
    must be ours. `dead_because` is Graph's subcode for a token that is not valid (460 password changed, 463 expired, ...).
    """

    is_valid: bool
    expires_at: datetime | None
    data_access_expires_at: datetime | None
    scopes: tuple[str, ...]
    app_id: str | None = None
    dead_because: int | None = None

    def lacks(self, *scopes: str) -> tuple[str, ...]:
        """Those of `scopes` that the token was not granted, in the order given."""
        return tuple(scope for scope in scopes if scope not in self.scopes)


def read_token_check(said: JsonObject) -> TokenCheck | None:
    """The check in Graph's answer to /debug_token; None when it does not say whether the token is valid."""
    data = said.get("data")
    if not isinstance(data, dict) or not isinstance(is_valid := data.get("is_valid"), bool):
        return None
    scopes = data.get("scopes")
    error = data.get("error")
    subcode = error.get("subcode") if isinstance(error, dict) else None
    return TokenCheck(
        is_valid=is_valid,
        expires_at=graph_moment(data.get("expires_at")),
        data_access_expires_at=graph_moment(data.get("data_access_expires_at")),
        scopes=tuple(scope for entry in (scopes if isinstance(scopes, list) else []) if (scope := graph_text(entry)) is not None),
        app_id=graph_id(data.get("app_id")),
        dead_because=subcode if isinstance(subcode, int) and not isinstance(subcode, bool) else None,
    )
