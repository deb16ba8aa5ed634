"""Meta's Graph API, as far as leads need it: each call gives a frozen value, or a `GraphFailure` that says what to do."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import httpx

from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure
from lead_signals.graph_api.graph_value import graph_id, graph_text, is_graph_id
from lead_signals.graph_api.graph_wire import GraphWire, is_token
from lead_signals.graph_api.lead_form import LEAD_FORM_FIELDS, LeadForm, read_lead_form
from lead_signals.graph_api.pace import Pace
from lead_signals.graph_api.page_identity import PageIdentity, read_page_identity
from lead_signals.graph_api.profile import (
    INSTAGRAM_PROFILE_FIELDS,
    PROFILE_FIELDS,
    Profile,
    read_instagram_profile,
    read_participant,
    read_profile,
)
from lead_signals.graph_api.token_check import TokenCheck, read_token_check
from lead_signals.json_body import JsonObject

GRAPH_BASE_URL = "https://graph.facebook.com/v26.0"
CALL_TIMEOUT_SECONDS = 10.0
MOST_APPS_OF_A_PAGE = "100"
_FIELD_NAME = re.compile(r"[a-z_]{1,64}")


class GraphClient:
    """One app's door to Graph; safe to share between tasks.

    `app_secret` (one; the newest, while two are valid) signs every call with appsecret_proof; None leaves calls unsigned.
    `app_id` and `app_secret` are both needed by `check_token`, `app_id` by `subscribed_fields`. `timeout_seconds` is the total time of one
    exchange; `fetch_profile` makes up to two of them, every other call one. No call raises for what network or Graph did.
    Raises ValueError for a `base_url` that is no http(s) address.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str = GRAPH_BASE_URL,
        *,
        app_id: str | None = None,
        app_secret: bytes | None = None,
        timeout_seconds: float = CALL_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app_id = app_id or None
        self._app_secret = app_secret or None  # an empty secret signs with an empty key, which anyone can
        self._pace = Pace(clock)
        self._wire = GraphWire(client, base_url, app_secret=self._app_secret, timeout_seconds=timeout_seconds, pace=self._pace)

    def pause_seconds(self, token: str | None = None) -> float:
        """How long a gentle caller leaves Graph alone: for the whole app, or for this token's Page when that is longer. 0 = go on."""
        return self._pace.pause_seconds(token)

    async def fetch_lead_form(self, leadgen_id: str, token: str) -> LeadForm | GraphFailure:
        """What a person wrote into a lead ad's form. The token is the Page's, with leads_retrieval."""
        if not is_graph_id(leadgen_id):
            return _IMPOSSIBLE_ID
        said = await self._wire.exchange("GET", f"/{leadgen_id}", token, query={"fields": LEAD_FORM_FIELDS})
        return said if isinstance(said, GraphFailure) else read_lead_form(leadgen_id, said) or _BAD_SHAPE

    async def fetch_profile(self, psid: str, token: str) -> Profile | GraphFailure:
        """The name of a person who wrote to the Page; a Profile without any name means that Graph keeps it to itself.

        When Graph has no profile to show (100 with subcode 2018218 or 33), the participants of the conversation often still name them.
        """
        if not is_graph_id(psid):
            return _IMPOSSIBLE_ID
        said = await self._wire.exchange("GET", f"/{psid}", token, query={"fields": PROFILE_FIELDS})
        if not isinstance(said, GraphFailure):
            return read_profile(psid, said)
        return await self._find_participant(psid, token, said) if said.kind is FailureKind.NOT_FOUND else said

    async def fetch_instagram_profile(self, igsid: str, token: str) -> Profile | GraphFailure:
        """The name of a person who wrote to an Instagram account; the token is that of the Page the account belongs to."""
        if not is_graph_id(igsid):
            return _IMPOSSIBLE_ID
        said = await self._wire.exchange("GET", f"/{igsid}", token, query={"fields": INSTAGRAM_PROFILE_FIELDS})
        return said if isinstance(said, GraphFailure) else read_instagram_profile(igsid, said)

    async def fetch_page(self, token: str) -> PageIdentity | GraphFailure:
        """The Page a token speaks for, to compare with the one somebody wants to connect."""
        said = await self._wire.exchange("GET", "/me", token, query={"fields": "id,name"})
        return said if isinstance(said, GraphFailure) else read_page_identity(said) or _BAD_SHAPE

    async def check_token(self, token: str) -> TokenCheck | GraphFailure:
        """Whether a token works, until when and for what. Asked in the name of the app, so a dead token is an answer, not a failure;

        only what can be no token at all is RECONNECT.
        """
        if self._app_id is None or self._app_secret is None:
            return _NOT_CONFIGURED
        if not is_token(token):
            return _NO_TOKEN
        app_token = f"{self._app_id}|{self._app_secret.decode('utf-8', 'replace')}"
        said = await self._wire.exchange("GET", "/debug_token", app_token, query={"input_token": token}, secrets=(token,))
        if isinstance(said, GraphFailure):
            # The token that is dead here is the app's own: connecting the Page again would not help.
            return replace(said, kind=FailureKind.REFUSED) if said.kind is FailureKind.RECONNECT else said
        return read_token_check(said) or _BAD_SHAPE

    async def subscribed_fields(self, page_id: str, token: str) -> tuple[str, ...] | GraphFailure:
        """The webhook fields our app is subscribed to on this Page; empty when it is not subscribed at all."""
        if not is_graph_id(page_id):
            return _IMPOSSIBLE_ID
        if self._app_id is None:  # without it, another app's subscription would pass for ours
            return _NOT_CONFIGURED
        said = await self._wire.exchange("GET", f"/{page_id}/subscribed_apps", token, query={"limit": MOST_APPS_OF_A_PAGE})
        return said if isinstance(said, GraphFailure) else _read_subscription(self._app_id, said)

    async def subscribe(self, page_id: str, token: str, fields: Sequence[str]) -> GraphFailure | None:
        """Have Meta send us these fields of the Page. Doing it again changes nothing.

        Raises ValueError when `fields` is empty or names something that is no field: they come from our own code.
        """
        if not fields or not all(_FIELD_NAME.fullmatch(field) for field in fields):
            raise ValueError(f"webhook fields look like feed, messages, leadgen; not {fields!r}")
        if not is_graph_id(page_id):
            return _IMPOSSIBLE_ID
        said = await self._wire.exchange("POST", f"/{page_id}/subscribed_apps", token, form={"subscribed_fields": ",".join(fields)})
        return _read_success(said)

    async def unsubscribe(self, page_id: str, token: str) -> GraphFailure | None:
        """Have Meta send us nothing of this Page any more."""
        if not is_graph_id(page_id):
            return _IMPOSSIBLE_ID
        return _read_success(await self._wire.exchange("DELETE", f"/{page_id}/subscribed_apps", token))

    async def _find_participant(self, psid: str, token: str, not_found: GraphFailure) -> Profile | GraphFailure:
        query = {"user_id": psid, "fields": "participants", "platform": "messenger"}
        said = await self._wire.exchange("GET", "/me/conversations", token, query=query)  # `me` of a Page's token is the Page
        if not isinstance(said, GraphFailure):
            return read_participant(psid, said) or not_found
        # Whether the person can be named at all is still open when this failed for another reason than the person.
        return said if said.may_pass or said.kind is FailureKind.RECONNECT else not_found


_IMPOSSIBLE_ID = GraphFailure(FailureKind.REFUSED, graph_said="Not asked: this is no id of Graph.")
_NO_TOKEN = GraphFailure(FailureKind.RECONNECT)
_NOT_CONFIGURED = GraphFailure(FailureKind.NOT_CONFIGURED)
_BAD_SHAPE = GraphFailure(FailureKind.BAD_ANSWER, http_status=200)


def _read_subscription(app_id: str, said: JsonObject) -> tuple[str, ...] | GraphFailure:
    apps = said.get("data")
    if not isinstance(apps, list):
        return _BAD_SHAPE
    for app in apps:
        if isinstance(app, dict) and graph_id(app.get("id")) == app_id:
            fields = app.get("subscribed_fields")
            return tuple(name for entry in (fields if isinstance(fields, list) else []) if (name := graph_text(entry)) is not None)
    return ()


def _read_success(said: "JsonObject | GraphFailure") -> GraphFailure | None:
    if isinstance(said, GraphFailure):
        return said
    return None if said.get("success") is True else _BAD_SHAPE
