"""Graph's understudy on loopback: a small world of Pages, people, lead forms and subscriptions behind a real HTTP server.

It asks of every call what Meta asks (a living token, the right appsecret_proof) and what we ask of ourselves (the token in the header,
never in the address). Put an answer into `answers` to have it misbehave.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from tests.graph_api.graph_answers import CALM_USAGE, graph_error, says
from tests.receiver import Answer, Exchange

VERSION = "/v26.0"
APP_ID = "610000000000001"
APP_SECRET = b"invented-app-secret-of-no-app"
PAGE_ID = "700000000000001"
PAGE_TOKEN = "EAAinventedPageTokenOfHoaSenFurniture01"
PAGE_NAME = "Nội thất Hoa Sen"
ALL_SCOPES = [
    "pages_show_list",
    "pages_messaging",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_metadata",
    "leads_retrieval",
]


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """One call as it came in: `path` without the version, header names in lower case, `call` the kind of call it is."""

    method: str
    path: str
    call: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def token(self) -> str:
        """The token in the Authorization header; empty when there is none."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class GraphStandIn:
    """The world behind the server, and what the test wants of it. Change it at any time; keys of `answers`, the first that fits:

    "GET /700000000000001/subscribed_apps", "/700000000000001/subscribed_apps", one of the calls "lead_form" | "profile" | "page" |
    "conversations" | "debug_token" | "subscribed_apps", or "*". A list is gone through, its last answer stays. Such an answer comes
    without looking at the token.
    """

    app_id: str = APP_ID
    app_secret: bytes = APP_SECRET
    base_url: str = ""
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)  # by token: {"id", "name"}
    leads: dict[str, dict[str, Any]] = field(default_factory=dict)  # by leadgen id: Graph's own shape
    people: dict[str, dict[str, Any]] = field(default_factory=dict)  # by PSID: {"first_name", "last_name", "name"}
    participants: dict[str, str] = field(default_factory=dict)  # by PSID: the name a conversation shows
    subscriptions: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # by Page id, then by app id: fields
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)  # by token: what /debug_token says besides the usual

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[GraphRequest] = []

    @property
    def requests(self) -> Sequence[GraphRequest]:
        """All calls so far, in order."""
        with self._changed:
            return tuple(self._requests)

    def requests_for(self, call: str) -> Sequence[GraphRequest]:
        """The calls of one kind so far, in order."""
        return [request for request in self.requests if request.call == call]

    def wait_for(self, count: int, call: str | None = None, deadline_seconds: float = 30.0) -> Sequence[GraphRequest]:
        """The calls (of one kind), once there are at least `count`. Raises AssertionError after `deadline_seconds`."""

        def seen() -> Sequence[GraphRequest]:
            return self.requests if call is None else self.requests_for(call)

        with self._changed:
            enough = self._changed.wait_for(lambda: len(seen()) >= count, deadline_seconds)
        assert enough, f"waited {deadline_seconds:g} s for {count} calls of Graph; {len(seen())} came"
        return seen()

    def connect_page(self, page_id: str = PAGE_ID, token: str = PAGE_TOKEN, name: str | None = PAGE_NAME) -> str:
        """A Page and a token that speaks for it; the token again."""
        self.pages[token] = {"id": page_id} | ({} if name is None else {"name": name})
        return token

    def fill_in_lead_form(self, leadgen_id: str, answers: Mapping[str, Sequence[str]], **more: Any) -> None:
        """A person sent a lead ad's form; `more` are further keys, such as ad_id=..."""
        field_data = [{"name": name, "values": list(values)} for name, values in answers.items()]
        form = {"id": leadgen_id, "created_time": "2026-11-22T03:04:05+0000", "form_id": "810000000000001", "field_data": field_data}
        self.leads[leadgen_id] = form | more

    def proof_of(self, token: str) -> str:
        """The appsecret_proof a call with this token must bring."""
        return hmac.new(self.app_secret, token.encode(), hashlib.sha256).hexdigest()

    def take(self, request: GraphRequest) -> Answer:
        """Note a call before anything is answered, and say what the answer is."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
            for key in (f"{request.method} {request.path}", request.path, request.call, "*"):
                if (scripted := self.answers.get(key)) is not None:
                    if not isinstance(scripted, list):
                        return scripted
                    return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        return self._refusal(request) or self._answer(request)

    def _refusal(self, request: GraphRequest) -> Answer | None:
        if "access_token" in request.query or "access_token" in request.form:
            return graph_error(100, message="The token belongs in the Authorization header")
        if not request.token:
            return graph_error(104, message="An access token is required to request this resource.")
        is_app = request.token == f"{self.app_id}|{self.app_secret.decode()}"
        if request.token not in self.pages and not is_app:
            return graph_error(190, message="Invalid OAuth access token - Cannot parse access token")
        if not hmac.compare_digest(request.query.get("appsecret_proof", "").encode(), self.proof_of(request.token).encode()):
            return graph_error(100, message="Invalid appsecret_proof provided in the API argument", type="GraphMethodException")
        if is_app != (request.call == "debug_token"):
            return graph_error(10, status=403, message="(#10) This call wants the other kind of token")
        return None

    def _answer(self, request: GraphRequest) -> Answer:
        if request.call == "debug_token":
            return says({"data": self._check(request.query.get("input_token", ""))}, 200, CALM_USAGE)
        page = self.pages[request.token]
        if request.call == "page":
            return says(page, 200, CALM_USAGE)
        if request.call == "subscribed_apps":
            return self._subscribed_apps(request, page["id"])
        if request.call == "conversations":
            return says(self._conversations(request.query.get("user_id", ""), page), 200, CALM_USAGE)
        about = request.path.removeprefix("/")
        if about in self.leads:
            return says(_only(self.leads[about], request.query.get("fields", "id,created_time,field_data")), 200, CALM_USAGE)
        if about in self.people:
            return says(_only({"id": about} | self.people[about], request.query.get("fields", "name") + ",id"), 200, CALM_USAGE)
        if about in self.participants:
            return graph_error(100, 2018218, message="(#100) No profile available for this user.")
        return graph_error(100, 33, message=f"Unsupported get request: '{about}' does not exist", type="GraphMethodException")

    def _check(self, token: str) -> dict[str, Any]:
        if token not in self.pages and token not in self.checks:
            error = {"code": 190, "message": "Malformed access token", "subcode": 467}
            return {"error": error, "is_valid": False, "scopes": []}
        usual = {"app_id": self.app_id, "type": "PAGE", "is_valid": True, "expires_at": 0, "data_access_expires_at": 1_800_000_000}
        return usual | {"scopes": ALL_SCOPES} | self.checks.get(token, {})

    def _conversations(self, psid: str, page: dict[str, Any]) -> dict[str, Any]:
        if psid not in self.participants:
            return {"data": []}
        people = [{"name": self.participants[psid], "email": f"{psid}@facebook.invalid", "id": psid}, page]
        return {"data": [{"participants": {"data": people}, "id": "t_900000000000001"}]}

    def _subscribed_apps(self, request: GraphRequest, page_id: str) -> Answer:
        if request.path != f"/{page_id}/subscribed_apps":
            return graph_error(200, status=403, message="(#200) The token does not speak for this Page")
        apps = self.subscriptions.setdefault(page_id, {})
        if request.method == "POST":
            apps[self.app_id] = request.form.get("subscribed_fields", "").split(",")
        elif request.method == "DELETE":
            apps.pop(self.app_id, None)
        else:
            return says(
                {"data": [{"name": "An app", "id": app, "subscribed_fields": fields} for app, fields in apps.items()]}, 200, CALM_USAGE
            )
        return says({"success": True}, 200, CALM_USAGE)


@contextmanager
def graph_stand_in(*, app_id: str = APP_ID, app_secret: bytes = APP_SECRET) -> Iterator[GraphStandIn]:
    """A stand-in that listens on a free port of loopback from the beginning of the block to its end; one Page is connected."""
    graph = GraphStandIn(app_id, app_secret)
    graph.connect_page()
    server = _Server(("127.0.0.1", 0), graph)
    graph.base_url = f"http://127.0.0.1:{server.server_port}{VERSION}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield graph
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], graph: GraphStandIn) -> None:
        super().__init__(address, _Handler)
        self.graph = graph
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error of ours: some tests hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        exchange = Exchange(self.connection, server.closing)
        try:
            server.graph.take(self._request(body))(exchange)
        finally:
            self.close_connection = not exchange.keep_connection

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def _request(self, body: bytes) -> GraphRequest:
        address = urlsplit(self.path)
        path = address.path.removeprefix(VERSION)
        return GraphRequest(
            method=self.command,
            path=path,
            call=_call(path, address.query),
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            form=dict(parse_qsl(body.decode(), keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )

    def log_message(self, *_: Any) -> None:
        """Quiet: the requests are the log."""


def _call(path: str, query: str) -> str:
    last = path.rsplit("/", 1)[-1]
    if last in ("debug_token", "subscribed_apps", "conversations"):
        return last
    if last == "me":
        return "page"
    return "lead_form" if "field_data" in query else "profile"


def _only(said: dict[str, Any], fields: str) -> dict[str, Any]:
    wanted = fields.split(",")
    return {name: value for name, value in json.loads(json.dumps(said)).items() if name in wanted}
